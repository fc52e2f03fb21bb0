import type { Mask } from "../../../contract/sampling.ts"
import { Builder, type Source } from "./builder.ts"
import { globalStep } from "./decode-cpu.ts"
import { guessesOf, head } from "./head.ts"
import type { Graph } from "./onnx.ts"
import { localInParallel } from "./parallel.ts"
import { drawInputs, perturbedLogits, statistics } from "./sampling.ts"

/**
 * Decoding by drafts: where the next patch can be guessed, the local model runs on all of its places at once, and what it
 * draws there is right up to the first place at which it differs from the guess. Two graphs:
 *
 *   stepGraph   a step of the global model
 *   draftGraph  what the local model draws at every place of drafts
 */

/** Inputs of the global model as in `decodeGraph`. Outputs: new_rows likewise, from_global fp32 [B, P, D_L]. */
export function stepGraph(source: Source): Graph {
  const b = Builder.of("step", source, "few")
  const { local } = globalStep(b)
  b.g.output("from_global", local, "float32", ["batch", b.m.patch, b.m.local.width])
  return b.g
}

/**
 * Inputs: from_global fp32 [B, P, D_L]; local_previous int64 [B, P] the drafts shifted by one (256 first); note_rows
 * int64 [B, P, columns] and guesses int64 [B, P, guesses] of the notes; noise fp32 [P, B, 1, 256] and what says how to draw, as in `decodeGraph`.
 * Outputs: bytes int64 [B, P, 1], logprob and entropy fp32 [B, P, 1] in nats.
 */
export function draftGraph(source: Source, masks: readonly Mask[]): Graph {
  const b = Builder.of("draft", source, "many")
  const { g, m } = b
  const { patch: P } = m
  const fromGlobal = g.input("from_global", "float32", ["batch", P, m.local.width])
  const inside = localInParallel(b, fromGlobal, "batch")
  const guesses = guessesOf(m)
  const guess = guesses ? g.input("guesses", "int64", ["batch", P, guesses]) : undefined
  const logits = head(b, inside, P, guess)
  const noise = g.input("noise", "float32", [P, "batch", 1, 256])
  const ordered = g.node("Reshape", [g.node("Transpose", [noise], { perm: [1, 0, 2, 3] }), g.ints([-1, P, 256])])
  const sums = perturbedLogits(g, logits, ordered, drawInputs(g, "int64", masks))
  const bytes = g.node("ArgMax", [sums], { axis: 2, keepdims: 1 })
  const { logprob, entropy } = statistics(b, logits, bytes)
  g.output("bytes", bytes, "int64", ["batch", P, 1])
  g.output("logprob", logprob, "float32", ["batch", P, 1])
  g.output("entropy", entropy, "float32", ["batch", P, 1])
  return g
}
