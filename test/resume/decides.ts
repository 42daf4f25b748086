// The second process: a web server in which a person said yes.
import { approval } from '@plumbline/instrumentation';

approval.decide(process.argv[2] ?? '', { status: 'approved', by: 'ann' });
