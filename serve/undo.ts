/** What has to be closed, in the order of opening. */
export type Undo = (() => Promise<void>)[];

/** Closes what was opened last first. What is closed once is not closed again. */
export async function unwind(undo: Undo): Promise<void> {
  for (const close of undo.splice(0).reverse()) await close();
}
