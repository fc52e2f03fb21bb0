/** Styles whose names are of two parts, every first with every second. */
export type Grid = {
  /** Names of the first parts, and of the second ones. */
  parts: [string[], string[]]
  /** By a style's number, which of each; none for the style that leaves it open. */
  places: ([number, number] | undefined)[]
  /** The number of the style of two parts. */
  styleAt(first: number, second: number): number
}

/**
 * Takes styles apart such as "jig, organ", so that a person chooses a dance and an instrument and not one of their many
 * pairs.
 * @param styles by their number; the first leaves it open
 * @returns nothing where the names are not such, or a pair is not there
 */
export function gridOf(styles: readonly string[]): Grid | undefined {
  const pairs = styles.slice(1).map((name) => name.split(", "))
  if (pairs.some((pair) => pair.length !== 2)) return undefined
  const [firsts, seconds] = [0, 1].map((part) => [...new Set(pairs.map((pair) => pair[part] as string))]) as [
    string[],
    string[],
  ]
  if (firsts.length < 2 || seconds.length < 2 || firsts.length * seconds.length !== pairs.length) return undefined
  const styleAt = (first: number, second: number) => styles.indexOf(`${firsts[first]}, ${seconds[second]}`)
  const places = pairs.map(([first = "", second = ""]): [number, number] => [
    firsts.indexOf(first),
    seconds.indexOf(second),
  ])
  if (firsts.some((_, i) => seconds.some((_, j) => styleAt(i, j) < 0))) return undefined
  return { parts: [firsts, seconds], places: [undefined, ...places], styleAt }
}
