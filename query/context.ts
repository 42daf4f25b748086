import type { Context } from 'hono';
import type { Store } from '../store/connection.ts';

/** What every question needs: where the rows are, whose rows they are, and what time it is. */
export interface QueryContext {
  readonly store: Store;
  /** The project that this request may read. */
  readonly project: (c: Context) => string;
  readonly now: () => Date;
}
