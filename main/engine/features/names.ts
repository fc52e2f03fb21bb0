import constants from "../../../contract/constants.json" with { type: "json" }
import type { Match } from "../../../contract/pack.ts"
import { LENGTHS } from "./match.ts"

/**
 * The last name: where a word begins, the letters of the last name are a good guess, and within a word those of the last
 * name that began alike. A name is a word with a capital that stands within a sentence. The same as in
 * training/megabyte/features/names.py.
 */

/** A space, and the bytes beside small letters after which a sentence goes on: a comma and a semicolon. */
const { space, joints } = constants.names
export const isCapital = (byte: number) => byte >= 65 && byte <= 90
const isSmall = (byte: number) => byte >= 97 && byte <= 122
export const isLetter = (byte: number) => isCapital(byte) || isSmall(byte)
/** Whether a sentence goes on after this byte. */
export const goesOn = (byte: number) => isSmall(byte) || joints.includes(byte)
export const isSpace = (byte: number) => byte === space

/** Letters of a word that are told apart. */
export const MOST_LETTERS = LENGTHS - 2

/** A word is not compared with a name farther than the window and this before it. */
export const LONGEST_WORD = 64

const isName = (bytes: Uint8Array, at: number) =>
  at > 1 && isCapital(bytes[at] as number) && isSpace(bytes[at - 1] as number) && goesOn(bytes[at - 2] as number)

function lettersBefore(bytes: Uint8Array, end: number): number {
  let letters = 0
  while (letters < end && isLetter(bytes[end - 1 - letters] as number)) letters++
  return letters
}

/** Follows the names of one sequence byte by byte. */
export class NameMatcher {
  /** Where they begin, the nearest last. */
  readonly names: number[] = []
  /** Of the word so far. */
  letters: number

  constructor(
    private readonly match: Match,
    private readonly bytes: Uint8Array,
    private end: number,
  ) {
    for (let at = Math.max(0, end - match.window - LONGEST_WORD); at < end; at++)
      if (isName(bytes, at)) this.names.push(at)
    this.letters = lettersBefore(bytes, end)
  }

  /** How far before the word so far those names begin that begin with it, the nearest first. */
  *distances(): Generator<number> {
    const { bytes, end, letters, names } = this
    const begin = end - letters
    for (let i = names.length - 1; i >= 0; i--) {
      const distance = begin - (names[i] as number)
      if (distance > this.match.window) return
      if (distance <= 0) continue
      let alike = 0
      while (alike < letters && bytes[begin + alike] === bytes[begin + alike - distance]) alike++
      if (alike === letters) yield distance
    }
  }

  /** The byte that followed the word so far in the nearest of those names (0 where there is none), and how sure it is. */
  guess(): { byte: number; length: number } {
    for (const distance of this.distances())
      return { byte: this.bytes[this.end - distance] as number, length: 1 + Math.min(this.letters, MOST_LETTERS) }
    return { byte: 0, length: 0 }
  }

  /** Takes in the byte that stands at the present place. */
  advance(): void {
    if (isName(this.bytes, this.end)) this.names.push(this.end)
    this.letters = isLetter(this.bytes[this.end] as number) ? this.letters + 1 : 0
    this.end++
  }
}

/** What a decode graph begins with after `bytes`: see `carriedPast`. Arrays of `window` numbers, the nearest first. */
export function namesBefore(match: Match, bytes: Uint8Array, runs: Float32Array, names: Float32Array) {
  const end = bytes.length
  const matcher = new NameMatcher(match, bytes, end)
  runs.fill(0)
  for (const distance of matcher.distances()) runs[distance - 1] = 1
  names.fill(0)
  for (const at of matcher.names) names[end - 1 - at] = 1 // what lies farther than the window is dropped
  const [last = 0, before = 0] = [bytes[end - 1], bytes[end - 2]]
  return {
    letters: Math.min(matcher.letters, MOST_LETTERS),
    goesOn: Number(goesOn(last)),
    opens: Number(isSpace(last) && goesOn(before)),
  }
}
