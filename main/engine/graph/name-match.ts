import type { Match } from "../../../contract/pack.ts"
import { goesOn, isCapital, isLetter, isSpace, MOST_LETTERS } from "../features/names.ts"
import type { Builder } from "./builder.ts"
import type { Dim, Value } from "./onnx.ts"

/** The last name that began like the word so far (features/names.ts), as nodes of a decode graph. */

/** What is carried beside the runs: where names began, letters of the word so far, and whether a capital makes a name. */
export function carriedNames({ window }: Match): { name: string; shape: Dim[] }[] {
  return [
    { name: "names", shape: ["batch", window] },
    { name: "letters", shape: ["batch", 1] },
    { name: "goes_on", shape: ["batch", 1] },
    { name: "opens", shape: ["batch", 1] },
  ]
}

/** 1 or 0 for each byte that an index stands for. */
const table = ({ g }: Builder, test: (byte: number) => boolean, index: Value) =>
  g.node("Gather", [g.floats(Array.from({ length: 257 }, (_, byte) => Number(test(byte)))), index])

/** How sure a guess is by the letters so far, fp32 [B, 1]: 0 where `found`, the length of a match, is 0. */
export function sureness({ g }: Builder, past: Record<string, Value>, found: Value): Value {
  const any = g.node("Min", [found, g.floats([1], [])])
  return g.node("Mul", [any, g.node("Add", [past.letters as Value, g.floats([1], [])])])
}

/**
 * What is carried with one more byte. `same`: whether it equals the byte at each distance; `runs` [B, window]: 1 for
 * each name that begins with the word so far.
 */
export function appendToNames(b: Builder, past: Record<string, Value>, runs: Value, same: Value, index: Value) {
  const { g } = b
  const letter = table(b, isLetter, index)
  const name = g.node("Mul", [table(b, isCapital, index), past.opens as Value])
  const names = g.node(
    "Concat",
    [name, g.node("Slice", [past.names as Value, g.ints([0]), g.ints([-1]), g.ints([1])])],
    {
      axis: 1,
    },
  )
  const longer = g.node("Min", [
    g.node("Add", [past.letters as Value, g.floats([1], [])]),
    g.floats([MOST_LETTERS], []),
  ])
  const alike = g.node("Where", [same, runs, g.floats([0], [])])
  return {
    names,
    letters: g.node("Mul", [letter, longer]),
    goes_on: table(b, goesOn, index),
    opens: g.node("Mul", [table(b, isSpace, index), past.goes_on as Value]),
    runs: g.node("Where", [g.node("Cast", [letter], { to: 9 }), alike, names]),
  }
}
