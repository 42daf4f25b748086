import type { Step } from './model.ts';

/** Whether content first seen by `origin` is in the context of `step`: by the chain of previous decisions, in O(1). */
export function visibility(steps: readonly Step[]): (step: Step, origin: Step) => boolean {
  const spans = new Map<Step, { from: number; to: number }>();
  const followers = new Map<Step, Step[]>();
  for (const step of steps) {
    if (step.prev === null) continue;
    const list = followers.get(step.prev);
    if (list === undefined) followers.set(step.prev, [step]);
    else list.push(step);
  }
  let clock = 0;
  for (const root of steps) {
    if (root.prev !== null) continue;
    const stack: { step: Step; next: number }[] = [{ step: root, next: 0 }];
    spans.set(root, { from: clock++, to: 0 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const follower = followers.get(top.step)?.[top.next++];
      if (follower !== undefined) {
        spans.set(follower, { from: clock++, to: 0 });
        stack.push({ step: follower, next: 0 });
        continue;
      }
      const own = spans.get(top.step);
      if (own !== undefined) own.to = clock++;
      stack.pop();
    }
  }
  return (step, origin) => {
    const own = spans.get(step);
    const other = spans.get(origin);
    if (own === undefined || other === undefined) return false;
    return other.from <= own.from && own.to <= other.to;
  };
}
