/** A sum of money as it is answered: doubles added up differ by order and size, beyond a billionth of a cent only by that. */
export function usdOf(sum: number): number {
  return Number(sum.toFixed(11));
}
