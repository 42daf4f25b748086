/** Appends to texts of one stream until the stream's share of memory is used up; what comes later is dropped. */
export type KeepText = (sofar: string, more: string | undefined) => string;

export function keptText(maxChars: number): KeepText {
  let kept = 0;
  return (sofar, more) => {
    if (!more || kept + more.length > maxChars) return sofar;
    kept += more.length;
    return sofar + more;
  };
}
