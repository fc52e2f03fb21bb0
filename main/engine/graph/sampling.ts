import type { Builder } from "./builder.ts"
import type { Graph, Value } from "./onnx.ts"

/** The noise of a byte that must not be drawn. */
export const BARRED = -1e37

/** The graph's inputs that say how to draw. `masked`: with top-p, top-k or min-p. */
export function drawInputs(g: Graph, index: "int32" | "int64", masked: boolean): Masks | undefined {
  if (!masked) return undefined
  return {
    inverseTemperature: g.input("inverse_temperature", "float32", [1]),
    topP: g.input("top_p", "float32", [1]),
    logMinP: g.input("log_min_p", "float32", [1]),
    lastRank: g.input("last_rank", index, [1]),
  }
}
export type Masks = { inverseTemperature: Value; topP: Value; logMinP: Value; lastRank: Value }

/**
 * What competes for the next byte, [B, 1, 256]: logits and `noise`; with masks tempered logits, far below where they are
 * masked. Without masks it is the noise that comes tempered: where the largest sum stands is the same, for a node less.
 */
export function contest(g: Graph, logits: Value, noise: Value, masks?: Masks): Value {
  if (!masks) return g.node("Add", [logits, noise])
  // What is barred takes no part in the masks either.
  const open = g.node("Less", [g.floats([BARRED / 10], []), noise])
  const tempered = g.node("Mul", [logits, masks.inverseTemperature])
  const scaled = g.node("Where", [open, tempered, g.floats([-1e30], [])])
  // Each mask keeps the first ranks, so the three together are one smallest logit.
  const [values] = g.nodesOut(2, "TopK", [scaled, g.ints([256])]) as [Value, Value]
  const before = g.node("CumSum", [g.node("Softmax", [values], { axis: -1 }), g.ints([2], [])], { exclusive: 1 })
  const within = g.node("Where", [g.node("Less", [before, masks.topP]), values, g.floats([1e30], [])])
  const top = g.node("Slice", [values, g.ints([0]), g.ints([1]), g.ints([2])])
  const least = [
    g.node("ReduceMin", [within, g.ints([2])], { keepdims: 1 }),
    g.node("Add", [top, masks.logMinP]),
    g.node("Gather", [values, masks.lastRank], { axis: 2 }),
  ]
  const cutoff = least.reduce((a, b) => g.node("Max", [a, b]))
  const kept = g.node("Where", [g.node("GreaterOrEqual", [scaled, cutoff]), scaled, g.floats([-1e30], [])])
  return g.node("Add", [kept, noise])
}

/** Outputs logprob (of `bytes`) and entropy in nats, both of `shape`, from logits [...shape, 256]. */
export function statistics(b: Builder, logits: Value, bytes: Value, shape: (number | string)[]): void {
  const { g } = b
  const logp = b.logSoftmax(logits)
  const chosen = g.node("GatherElements", [logp, g.node("Unsqueeze", [bytes, g.ints([-1])])], { axis: -1 })
  g.output("logprob", g.node("Squeeze", [chosen, g.ints([-1])]), "float32", shape)
  const weighted = g.node("Mul", [g.node("Exp", [logp]), logp])
  const sum = g.node("ReduceSum", [weighted, g.ints([-1])], { keepdims: 0 })
  g.output("entropy", g.node("Neg", [sum]), "float32", shape)
}
