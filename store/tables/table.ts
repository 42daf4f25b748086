/** Map columns are entry lists, so that a hostile key such as `__proto__` is only data. */
export type Entries<V = string> = readonly (readonly [string, V])[];

/**
 * A table's name and its written columns with their ClickHouse types, in the order of the schema. Values in a row:
 * `String` string, `UInt64` bigint, smaller integers and `Float64` number, `DateTime64(n)` bigint in units of 10^-n s
 * since 1970, `Date` number of days since 1970, `Nullable` null, `Array` array, `Map` entry list, `Tuple` array.
 * A test holds every table against `DESCRIBE`.
 */
export interface Table<Row> {
  readonly name: string;
  readonly columns: { readonly [K in keyof Row & string]: string };
}
