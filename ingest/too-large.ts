/** The body is larger than allowed, before or after decompression. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
