// Runs worker.ts without a build. `--import tsx` does nothing off the main thread on Node 20, so it is registered here.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
