import { logitsOf } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import type { Builder } from "./builder.ts"
import type { Graph, Value } from "./onnx.ts"

/** The noise of a byte that must not be drawn. */
export const BARRED = -1e37

/** The graph's inputs that say how to draw, by what leaves bytes out. */
export function drawInputs(g: Graph, index: "int32" | "int64", masks: readonly Mask[]): Draw | undefined {
  if (!masks.length) return undefined
  const one = (name: string) => g.input(name, "float32", [1])
  return {
    ...(masks.includes("p") ? { p: { topP: one("top_p"), inverseTemperature: one("inverse_temperature") } } : {}),
    ...(masks.includes("k") ? { lastRank: g.input("last_rank", index, [1]) } : {}),
    ...(masks.includes("m") ? { belowTop: one("below_top") } : {}),
  }
}
export type Draw = { p?: { topP: Value; inverseTemperature: Value }; lastRank?: Value; belowTop?: Value }

/**
 * What competes for the next byte, [B, 1, count]: logits, far below where they are left out, and `noise`, which comes
 * tempered: where the largest sum stands is the same as with tempered logits, for a node less.
 */
export function perturbedLogits(g: Graph, logits: Value, noise: Value, draw?: Draw, count = 256): Value {
  if (!draw) return g.node("Add", [logits, noise])
  const { p, lastRank, belowTop } = draw
  const none = g.floats([-1e30], [])
  // What is barred takes no part in the masks either.
  const open = g.node("Where", [g.node("Less", [g.floats([BARRED / 10], []), noise]), logits, none])
  // Each mask keeps the first ranks, so all together are one smallest logit.
  const least: Value[] = []
  if (p || lastRank) {
    const [ranked] = g.nodesOut(2, "TopK", [open, g.ints([count])]) as [Value, Value]
    if (p) {
      const chances = g.node("Softmax", [g.node("Mul", [ranked, p.inverseTemperature])], { axis: -1 })
      const before = g.node("CumSum", [chances, g.ints([2], [])], { exclusive: 1 })
      const within = g.node("Where", [g.node("Less", [before, p.topP]), ranked, g.floats([1e30], [])])
      least.push(g.node("ReduceMin", [within, g.ints([2])], { keepdims: 1 }))
    }
    if (lastRank) least.push(g.node("Gather", [ranked, lastRank], { axis: 2 }))
  }
  if (belowTop) least.push(g.node("Add", [g.node("ReduceMax", [open, g.ints([2])], { keepdims: 1 }), belowTop]))
  const cutoff = least.reduce((a, b) => g.node("Max", [a, b]))
  return g.node("Add", [g.node("Where", [g.node("GreaterOrEqual", [open, cutoff]), open, none]), noise])
}

/**
 * Logits [2B, 1, 256] of B sequences and of the same with their style left open -> [B, 1, 256] each: the sequences' own,
 * and those moved away from the open ones to `guidance` (fp32 [1]) times the distance (arXiv 2207.12598, equation 6).
 */
function guidedLogits(g: Graph, logits: Value, guidance: Value): { own: Value; steered: Value } {
  const [own, open] = g.nodesOut(2, "Split", [logits], { axis: 0, num_outputs: 2 }) as [Value, Value]
  const apart = g.node("Mul", [g.node("Sub", [own, open]), guidance])
  return { own, steered: g.node("Add", [open, apart]) }
}

/**
 * Draws the bytes of B sequences inside a decode graph, with the graph's inputs noise, guidance and what leaves bytes out.
 * `guided`: the rows are 2B, the last B of the same sequences with their style left open.
 */
export class ByteSampler {
  /** fp32 [P, B, 1, count]. */
  readonly noise: Value
  /** Name of the dimension of the B sequences that bytes are drawn for. */
  readonly rows: string
  /** Bytes, and the end where the head has it. */
  readonly count: number
  private readonly masks: Draw | undefined
  private readonly guidance: Value | undefined

  constructor({ g, m, index }: Builder, masks: readonly Mask[], guided: boolean) {
    this.rows = guided ? "drawn" : "batch"
    this.count = logitsOf(m)
    this.noise = g.input("noise", "float32", [m.patch, this.rows, 1, this.count])
    this.masks = drawInputs(g, index, masks)
    this.guidance = guided ? g.input("guidance", "float32", [1]) : undefined
  }

  /** From the logits of all rows those of the B sequences, and what competes for their next byte. */
  perturbed(g: Graph, logits: Value, noise: () => Value): { own: Value; sums: Value } {
    const { own, steered } = this.guidance ? guidedLogits(g, logits, this.guidance) : { own: logits, steered: logits }
    return { own, sums: perturbedLogits(g, steered, noise(), this.masks, this.count) }
  }

  /** What was drawn for the B sequences, for all rows: their open twins get the same bytes. */
  forAllRows(g: Graph, drawn: Value): Value {
    return this.guidance ? g.node("Concat", [drawn, drawn], { axis: 0 }) : drawn
  }
}

/** Log-probability of `bytes` [..., 1], indices, and entropy, both [..., 1] in nats, from logits [..., 256]. */
export function statistics(b: Builder, logits: Value, bytes: Value): { logprob: Value; entropy: Value } {
  const { g } = b
  const logp = b.logSoftmax(logits)
  const weighted = g.node("Mul", [g.node("Exp", [logp]), logp])
  const sum = g.node("ReduceSum", [weighted, g.ints([-1])], { keepdims: 1 })
  return { logprob: g.node("GatherElements", [logp, bytes], { axis: -1 }), entropy: g.node("Neg", [sum]) }
}
