import type { ModelConfig } from "../../../contract/pack.ts"
import { MU_LAW_EDGES } from "../../../contract/samples.ts"
import { lookbackSizes } from "../features/lookback.ts"
import { COMPONENTS, FLOOR } from "../features/lpc.ts"
import { GUESSES } from "../features/notes.ts"
import type { Builder, Stream } from "./builder.ts"
import type { Dim, Value } from "./onnx.ts"

/** The head: logits of the next byte, from local states, from guesses and from the samples that are expected. */

/** Samples expected by linear prediction and their spread, both fp64 (fp32 on a GPU) [rows, parts, 1]. */
export type Expected = { expected: Value; spread: Value }

/** Guesses of a byte for which the head has logits of what is left. */
export function guessesOf({ lookback, notes }: ModelConfig): number {
  return lookback ? lookbackSizes(lookback).guesses : notes?.guesses ? GUESSES : 0
}

/**
 * Logits [rows, places, 256] of local states. `guess` [rows, places, guesses], indices, where the model makes
 * guesses: the logits of what is left after a guess are turned to its place and added. `sound`, of rows * places rows,
 * where the model expects samples: the logits are of the mixture with them.
 */
export function head(b: Builder, y: Stream, places: number, guess?: Value, sound?: Expected): Value {
  const { normed } = b.addNorm(y, "local_norm")
  const logits = plainHead(b, normed, places, guess)
  return sound ? mixture(b, normed, places, logits, sound) : logits
}

/** The inputs expected and spread of known bytes, `rows` of them, where the model has linear prediction. */
export function soundInputs(b: Builder, rows: Dim): Expected | undefined {
  const fits = b.m.lookback?.lpc.length
  if (!fits) return undefined
  const type = b.gpu ? "float32" : "float64"
  const input = (name: string) => forComponents(b, b.g.input(name, type, [rows, fits, 1]))
  return { expected: input("expected"), spread: input("spread") }
}

/** [rows, fits, 1] -> [rows, parts, 1]: each fit as often as there are components around it. */
export function forComponents({ g, m }: Builder, x: Value): Value {
  const fits = m.lookback?.lpc.length ?? 0
  const each = Array.from({ length: fits * COMPONENTS }, (_, i) => Math.floor(i / COMPONENTS))
  return g.node("Gather", [x, g.ints(each)], { axis: 1 })
}

function plainHead(b: Builder, normed: Value, places: number, guess?: Value): Value {
  const { g, m } = b
  const logits = b.toFloat(b.linear(normed, "head", m.head_bias ?? false))
  if (!guess) return logits
  const rest = b.toFloat(b.linear(normed, "head_rest", false))
  const guesses = guessesOf(m)
  const split = g.node("Reshape", [rest, g.ints([-1, places, guesses, 256])])
  // What is left of every byte after each guess, modulo 256: a row of a table, as that takes one node.
  const left = g.node("Gather", [leftovers(b), guess])
  const turned = g.node("GatherElements", [split, left], { axis: 3 })
  const sum =
    guesses > 1
      ? g.node("ReduceSum", [turned, g.ints([2])], { keepdims: 0 })
      : g.node("Reshape", [turned, g.ints([-1, places, 256])])
  return g.node("Add", [logits, sum])
}

/** log_mixture of training/megabyte/features/lpc.py: what `logits` say, mixed with logistic distributions around `sound`. */
function mixture(b: Builder, normed: Value, places: number, logits: Value, { expected, spread }: Expected): Value {
  const { g, m } = b
  const parts = COMPONENTS * (m.lookback?.lpc.length ?? 0)
  // Sigmoids near 1 are subtracted: in fp32 that tells in the tails, and a processor has fp64.
  const exact = (x: Value) => (b.gpu ? b.toFloat(x) : g.node("Cast", [x], { to: 11 }))
  const constant = (values: ArrayLike<number>, dims?: number[]) =>
    b.gpu ? g.floats(values, dims) : g.doubles(values, dims)
  const raw = exact(b.linear(normed, "head_mixture", true))
  const columns = g.node("Reshape", [raw, g.ints([-1, 3 * parts + 1, 1])])
  const split = (x: Value, sizes: number[]) => g.nodesOut(sizes.length, "Split", [x, g.ints(sizes)], { axis: 1 })
  const [weights, narrow, beside] = split(columns, [parts + 1, parts, parts]) as [Value, Value, Value]
  const [ofParts, ofLogits] = split(g.node("Softmax", [weights], { axis: 1 }), [parts, 1]) as [Value, Value]
  const inverse = g.node("Div", [g.node("Exp", [narrow]), spread])
  const middle = g.node("Add", [expected, g.node("Mul", [beside, spread])])
  const away = g.node("Mul", [g.node("Sub", [constant(MU_LAW_EDGES), middle]), inverse]) // [rows, parts, 257]
  const each = g.node("Mul", [g.node("Sigmoid", [away]), ofParts])
  const below = g.node("ReduceSum", [each, g.ints([1])], { keepdims: 1 }) // [rows, 1, 257]
  const edge = (from: number) => g.node("Slice", [below, g.ints([from]), g.ints([from + 256]), g.ints([2])])
  const between = g.node("Clip", [g.node("Sub", [edge(1), edge(0)]), constant([FLOOR], []), constant([1], [])])
  const flat = places === 1 ? logits : g.node("Reshape", [logits, g.ints([-1, 1, 256])])
  const said = g.node("Mul", [g.node("Softmax", [exact(flat)], { axis: -1 }), ofLogits])
  const mixed = g.node("Log", [g.node("Add", [between, said])])
  const logp = b.gpu ? mixed : g.node("Cast", [mixed], { to: 1 })
  return places === 1 ? logp : g.node("Reshape", [logp, g.ints([-1, places, 256])])
}

/** [guess, byte] -> byte - guess modulo 256. */
function leftovers(b: Builder): Value {
  const table = Array.from({ length: 65536 }, (_, i) => ((i & 255) - (i >> 8)) & 255)
  return b.gpu ? b.g.int32s(table, [256, 256]) : b.g.ints(table, [256, 256])
}
