/** Of a list that was made by adding to another one: that one. */
const beginnings = new WeakMap<readonly unknown[], readonly unknown[]>();

/** The list with `more` behind; whoever made something of the list need make it only of what was added. */
export function grow<T>(list: readonly T[], more: readonly T[]): readonly T[] {
  const grown = [...list, ...more];
  beginnings.set(grown, list);
  return grown;
}

/** The list that this one was before something was added, if there was one. */
export function beginningOf<T>(list: readonly T[]): readonly T[] | undefined {
  return beginnings.get(list) as readonly T[] | undefined;
}

/** What was made of lists, for as long as they are there. */
export type Made<To> = WeakMap<readonly unknown[], readonly To[]>;

/**
 * `flatMap` of a list, remembered in `made`. Chats repeat their whole history in every call: of the hundredth only the
 * messages since the ninety-ninth are looked at.
 */
export function flatMapGrowing<From, To>(
  made: Made<To>,
  list: readonly From[],
  each: (element: From) => readonly To[],
): readonly To[] {
  const known = made.get(list);
  if (known !== undefined) return known;
  const beginning = beginningOf(list);
  const before = beginning === undefined ? undefined : made.get(beginning);
  const result =
    before === undefined
      ? list.flatMap(each)
      : grow(before, list.slice(beginning?.length).flatMap(each));
  made.set(list, result);
  return result;
}
