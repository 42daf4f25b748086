/**
 * `node --import @plumbline/instrumentation/register app.js`: registers from the environment as soon as it is loaded, before
 * any client of the application exists.
 */
import { register } from './node.ts';

/** Of this process. */
export const handle = register();
