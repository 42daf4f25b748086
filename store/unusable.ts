/** Another process has the data directory open. Its message is one line for a user. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}

/** The store cannot be used as configured (engine missing or too old, unusable path). One line for a user. */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable';
}
