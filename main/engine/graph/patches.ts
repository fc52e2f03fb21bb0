import { hasLearnedPositions, headWidth, isRotary } from "../../../contract/pack.ts"
import { patchSizes } from "../features/notes.ts"
import type { Builder, Rotary } from "./builder.ts"
import { ngramRows } from "./byte-features.ts"
import type { Dim, Value } from "./onnx.ts"

/** The way into the global model, patches as vectors, and the way out of it, what its vectors are for the bytes of a patch. */

/**
 * The graph's inputs previous (`dims`), previous_ngrams [...dims, orders] where the patch embedder sees n-grams, and cos
 * and sin or position (`count` places), and what they give: patches as vectors (paper, section 2.2.1) in the shape `to`,
 * with learned positions added or rotary ones to turn by.
 */
export function globalInput(
  b: Builder,
  dims: Dim[],
  to: number[],
  count: Dim,
): { previous: Value; h: Value; rotary?: Rotary } {
  const { g, m, index } = b
  const half = headWidth(m.global) / 2
  const previous = g.input("previous", index, dims)
  let embedded = embedPatch(b, previous, to)
  if (m.ngrams?.patch_embedder) {
    const ids = g.input("previous_ngrams", index, [...dims, m.ngrams.orders.length])
    const rows = [...dims.map(() => 0), m.ngrams.orders.length * m.ngrams.width] // 0: as it is
    embedded = g.node("Add", [embedded, ngramRows(b, ids, rows, "ngram_to_patch")])
  }
  let h = m.patch_embedder ? embedded : g.node("Reshape", [embedded, g.ints(to)])
  if (m.notes) {
    const ids = g.input("patch_rows", index, [...dims.slice(0, -1), patchSizes(m.notes).length])
    const rows = g.node("Gather", [g.weight("notes_patch_embed.weight"), ids])
    // One vector a patch: [B, 1, D_G] where each sequence has one, else [1, n, D_G].
    const summed = g.node("ReduceSum", [rows, g.ints([-2])], { keepdims: dims.length === 2 ? 1 : 0 })
    h = g.node("Add", [h, summed])
  }
  if (hasLearnedPositions(m)) {
    const position = g.input("position", index, [count])
    h = g.node("Add", [h, g.node("Gather", [g.weight("patch_position"), position])])
  }
  if (!isRotary(m)) return { previous, h }
  const cos = b.toReal(g.input("cos", "float32", [count, half]))
  const sin = b.toReal(g.input("sin", "float32", [count, half]))
  return { previous, h, rotary: { cos, sin, ids: g.ints([0]) } }
}

/** The bytes of patches as vectors, of the shape `to` where a patch is more than its embeddings side by side. */
function embedPatch(b: Builder, previous: Value, to: number[]): Value {
  const { g, m, index } = b
  const table = g.weight("patch_embed.weight")
  if (!m.patch_embedder) return g.node("Gather", [table, previous])
  const constant = (values: number[], dims?: number[]) =>
    index === "int32" ? g.int32s(values, dims) : g.ints(values, dims)
  // The padding patch's numbers, 256 + p, are all the same row here.
  const known = g.node("Min", [previous, constant([256], [])])
  if (m.patch_embedder === "table") {
    const rows = Array.from({ length: m.patch }, (_, p) => 257 * p)
    const each = g.node("Gather", [table, g.node("Add", [known, constant(rows)])])
    return g.node("Reshape", [g.node("ReduceSum", [each, g.ints([-2])], { keepdims: 0 }), g.ints(to)])
  }
  const flat = g.node("Reshape", [
    g.node("Gather", [table, known]),
    g.ints([...to.slice(0, -1), m.patch * m.local.width]),
  ])
  const projected = b.linear(b.layerNorm(flat, "patch_embed_norm"), "patch_to_global", true)
  const h = b.layerNorm(projected, "patch_norm")
  return g.node("Where", [isPadding(b, previous, to), g.weight("patch_start.weight"), h])
}

/** Whether a patch is the padding patch: [...to without its last, 1]. */
export function isPadding(b: Builder, previous: Value, to: number[]): Value {
  const { g } = b
  const first = g.node("Gather", [previous, g.ints([0])], { axis: -1 })
  const byte = g.node("Reshape", [g.node("Cast", [first], { to: 1 }), g.ints([...to.slice(0, -1), 1])])
  return g.node("Less", [g.floats([255.5], []), byte])
}

/** Global output [rows, D_G] -> the local model's share of its input [rows, P, D_L] (paper, equation 5). */
export function toLocal(b: Builder, h: Value): Value {
  const { g, m } = b
  const { width } = m.global
  if (m.global_to_local === "first") {
    const first = g.node("Reshape", [h, g.ints([-1, 1, width])])
    const padded = g.node("Pad", [first, g.ints([0, 0, 0, 0, m.patch - 1, 0]), b.reals([0], [])])
    return g.node("Add", [padded, g.weight("local_position")])
  }
  const sliced = m.global_to_local === "slice"
  const from = sliced ? g.node("Reshape", [h, g.ints([-1, m.patch, width / m.patch])]) : h
  const y = b.linear(from, "to_local")
  const shaped = sliced ? y : g.node("Reshape", [y, g.ints([-1, m.patch, m.local.width])])
  return g.node("Add", [shaped, g.weight("local_position")])
}
