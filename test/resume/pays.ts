// The third process: goes on where the first one stopped.
import { outcome, resumeTask, tool } from '@plumbline/instrumentation';

const pay = tool({ name: 'pay', effect: 'write' }, async () => 'paid');

await resumeTask(process.argv[2] ?? '', async (task) => {
  process.stdout.write(`${task.id} ${await pay()}`);
  outcome({ outcome: 'success' });
});
