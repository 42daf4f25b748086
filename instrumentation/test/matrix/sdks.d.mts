/** By name: what makes the shapes. */
export const sdks: Readonly<Record<string, unknown>>;
