/** How long an answer may be left unread before its call counts as over. Slow readers are not rare, leavers without a word are. */
const unreadMs = 30_000;

/** Something that is read, or not any more. */
export interface Unread {
  /** What was read so far, as a count; `undefined` while the reader waits for more. */
  progress(): number | undefined;
  /** Nobody reads it any more. */
  left(): void;
}

const watched = new Map<Unread, number | undefined>();
let timer: NodeJS.Timeout | undefined;

/**
 * Some SDKs leave an answer without closing it; the collector of garbage would tell much later, or never, and asking it to
 * tell costs more than the rest of a call's observation. One timer for all.
 */
export function watchUnread(answer: Unread): void {
  watched.set(answer, answer.progress());
  timer ??= setInterval(look, unreadMs).unref();
}

export function forgetUnread(answer: Unread): void {
  watched.delete(answer);
  if (watched.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function look(): void {
  for (const [answer, before] of watched) {
    const now = answer.progress();
    watched.set(answer, now);
    if (now !== undefined && now === before) answer.left();
  }
}
