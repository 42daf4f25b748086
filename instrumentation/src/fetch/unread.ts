/** How long a stream may be left unread before its call counts as over. Slow readers are not rare, leavers without a word are. */
const unreadMs = 30_000;

/**
 * Some SDKs leave a stream without closing it; the collector of garbage would tell much later, or never. `chunks` counts what
 * was read, and is `undefined` while the reader waits for more. One timer per stream, not per chunk.
 */
export function watchUnread(chunks: () => number | undefined, left: () => void): NodeJS.Timeout {
  let before = chunks();
  return setInterval(() => {
    const now = chunks();
    if (now !== undefined && now === before) left();
    before = now;
  }, unreadMs).unref();
}
