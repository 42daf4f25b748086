/** Benjamini–Hochberg q-values, in the order of `ps`; a null p stays null and is not a member of the family. */
export function benjaminiHochberg(ps: readonly (number | null)[]): (number | null)[] {
  const ranked = ps
    .flatMap((p, index) => (p === null ? [] : [{ p, index }]))
    .sort((a, b) => a.p - b.p);
  const qs: (number | null)[] = ps.map(() => null);
  let smallest = 1;
  for (let rank = ranked.length; rank > 0; rank--) {
    const entry = ranked[rank - 1];
    if (entry === undefined) continue;
    smallest = Math.min(smallest, (entry.p * ranked.length) / rank);
    qs[entry.index] = smallest;
  }
  return qs;
}
