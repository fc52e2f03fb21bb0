import constants from "../../../contract/constants.json" with { type: "json" }
import type { Match } from "../../../contract/pack.ts"

/**
 * The longest match: where the last bytes stood before, the byte that came after them is a good guess (PAQ's match
 * model; Mahoney 2005). The same matches as in training/megabyte/features/match.py.
 */

/** Lengths of a match that are told apart: none, 1, 2 .. and all from 15 on. */
export const LENGTHS = constants.matches.lengths

/** The distances at which a match is looked for: `unit`, 2 * `unit` .. `window`. */
export const distances = ({ window, unit }: Match) => Math.floor(window / unit)

/** How many of the bytes before `end` equal those at each distance before them, LENGTHS - 1 at most. */
export function matchRuns(match: Match, bytes: Uint8Array, end: number, runs: Uint8Array | Float32Array): void {
  for (let i = 0; i < runs.length; i++) {
    const earlier = end - (i + 1) * match.unit
    const most = Math.min(LENGTHS - 1, earlier)
    let run = 0
    while (run < most && bytes[end - 1 - run] === bytes[earlier - 1 - run]) run++
    runs[i] = run
  }
}

/** Follows the matches of one sequence byte by byte. */
export class Matcher {
  private readonly runs: Uint8Array

  constructor(
    private readonly match: Match,
    private readonly bytes: Uint8Array,
    private end: number,
  ) {
    this.runs = new Uint8Array(distances(match))
    matchRuns(match, bytes, end, this.runs)
  }

  /** The byte that followed the nearest of the longest matches (0 where there is none), and their length. */
  guess(): { byte: number; length: number } {
    let [length, at] = [0, 0]
    for (let i = 0; i < this.runs.length; i++) {
      const run = this.runs[i] as number
      if (run > length) {
        length = run
        at = i
        if (run === LENGTHS - 1) break
      }
    }
    return { byte: length ? (this.bytes[this.end - (at + 1) * this.match.unit] as number) : 0, length }
  }

  /** Takes in the byte that stands at the present place. */
  advance(): void {
    const { runs, bytes, end, match } = this
    const byte = bytes[end]
    const known = Math.min(runs.length, Math.floor(end / match.unit))
    for (let i = 0, earlier = end - match.unit; i < known; i++, earlier -= match.unit)
      runs[i] = bytes[earlier] === byte ? Math.min((runs[i] as number) + 1, LENGTHS - 1) : 0
    this.end++
  }
}
