import { attentionWidth, carriedWidth, headWidth, type Stage } from "../../../contract/pack.ts"
import { lookbackSizes } from "../features/lookback.ts"
import { BYTE_COLUMNS } from "../features/notes.ts"
import { type Attend, Builder, type Rotary, type Source, type Stream } from "./builder.ts"
import { lookbackRows, ngramRows } from "./byte-features.ts"
import { guessesOf, head, soundInputs } from "./head.ts"
import { cacheNames, NEW_ROWS, NEXT_CARRIED } from "./names.ts"
import type { Dim, Graph, Value } from "./onnx.ts"
import { globalInput, isPadding, toLocal } from "./patches.ts"
import { rotaryAngle } from "./rotary.ts"
import { statistics } from "./sampling.ts"

/**
 * Known patches in parallel, one sequence. Without `score` it stops at the last layer's keys and values (prefill).
 *
 * Inputs: previous int64 [1, n, P] the patches one earlier (256 + p for the padding patch); k_i, v_i fp32
 * [past, kv heads, d]; mask fp32 [n, past + n], 0 where a place is seen and -1e9 where not; cos, sin fp32 [n, d/2] or
 * position int64 [n]; with score: current int64 [n, P] the bytes to score, local_previous int64 [n, P] those
 * shifted by one inside their patch (256 first), ngram_ids int64 [n, P, orders] with n-grams, lookback_ids int64 [n, P, columns] and
 * guesses int64 [n, P, guesses] with lookback, expected and spread fp64 [n * P, fits, 1] with linear prediction, patch_rows int64
 * [1, n, columns] and note_rows int64 [n, P, columns] with notes.
 * Outputs: new_rows fp32 [2 * layers * n, kv heads, d]; with score: logprob and entropy fp32 [n, P, 1] in nats, logits [n, P, 256]
 * only when asked for (tests compare them with PyTorch's).
 */
export function parallelGraph(source: Source, want: { score: boolean; logits?: boolean }, gpu = false): Graph {
  const b = Builder.of(want.score ? "score" : "prefill", source, gpu ? "gpu" : "many")
  const { g, m, index } = b
  const { global: G, patch: P } = m
  const d = headWidth(G)
  const group = G.heads / G.kv_heads

  const { previous, h, rotary } = globalInput(b, [1, "n", P], [1, -1, G.width], "n")
  const mask = b.toMask(g.input("mask", "float32", ["n", "seen"]))
  // Each query head of a group stands under the others: rows of [group * n] share their key head.
  const groupMask = g.node("Concat", Array<Value>(group).fill(mask), { axis: 0 })
  const rows: Value[] = []
  const cacheRows = (layer: number, qkv: Value) => {
    const names = cacheNames(layer)
    const [q, k, v] = b.queryKeyValue(qkv, G, rotary)
    const shape = g.ints([-1, G.kv_heads, d])
    const newK = g.node("Reshape", [k, shape])
    const newV = g.node("Reshape", [v, shape])
    rows.push(newK, newV)
    return { q, newK, newV, names }
  }
  const attendGlobal: Attend = (qkv, layer) => {
    const { q, newK, newV, names } = cacheRows(layer, qkv)
    const past = (name: string) => b.toReal(g.input(name, "float32", ["past", G.kv_heads, d]))
    const keys = g.node("Concat", [past(names.k), newK], { axis: 0 })
    const values = g.node("Concat", [past(names.v), newV], { axis: 0 })
    return groupedAttention(b, q, G, keys, values, groupMask, [1, -1, attentionWidth(G)])
  }
  const carried = b.carried(1)
  const moved: Value[] = []
  const shift = b.shift((half, i) => {
    moved.push(half)
    const earlier = g.node("Slice", [half, g.ints([0]), g.ints([-1]), g.ints([1])])
    return g.node("Concat", [carried?.halves[i] as Value, earlier], { axis: 1 })
  })
  const last = G.layers - 1
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) {
    if (i === last && !want.score && !carried) {
      const at = `global_blocks.${i}`
      cacheRows(i, b.linear(b.addNorm(stream, `${at}.attention_norm`).normed, `${at}.qkv`))
    } else stream = b.block(stream, "global", i, attendGlobal, shift)
  }
  g.output(NEW_ROWS, b.toFloat(g.concat(rows, 0)), "float32", ["rows", G.kv_heads, d])
  if (!want.score && !carried) return g

  const globalOutput = g.node("Reshape", [b.addNorm(stream, "global_norm").normed, g.ints([-1, G.width])])
  const fromGlobal = toLocal(b, globalOutput)
  if (carried) {
    const local = g.node("Reshape", [fromGlobal, g.ints([1, -1, P * m.local.width])])
    const next = g.node("Reshape", [g.concat([...moved, local], 2), g.ints([-1, carriedWidth(m)])])
    g.output(NEXT_CARRIED, next, "float32", ["n", carriedWidth(m)])
    if (!want.score) return g
  }
  const inside = carried
    ? alignedInParallel(b, previous, g.input("current", index, ["n", P]), fromGlobal, carried.local)
    : localInParallel(b, fromGlobal, "n")
  const guesses = guessesOf(m)
  const guess = guesses ? g.input("guesses", index, ["n", P, guesses]) : undefined
  const logits = head(b, inside, P, guess, soundInputs(b, "places"))
  const scored = carried ? "current" : g.input("current", index, ["n", P])
  const current = g.node("Unsqueeze", [scored, g.ints([-1])])
  const { logprob, entropy } = statistics(b, logits, current)
  g.output("logprob", logprob, "float32", ["n", P, 1])
  g.output("entropy", entropy, "float32", ["n", P, 1])
  const bytes = () => g.node("Slice", [logits, g.ints([0]), g.ints([256]), g.ints([2])])
  if (want.logits) g.output("logits", m.end_logit ? bytes() : logits, "float32", ["n", P, 256])
  return g
}

/** Attention of q [1, n, heads * d] over keys and values [places, kv heads, d] under mask [group * n, places]. */
function groupedAttention(
  b: Builder,
  q: Value,
  s: Stage,
  keys: Value,
  values: Value,
  mask: Value,
  shape: number[],
): Value {
  const { g } = b
  const d = headWidth(s)
  const group = s.heads / s.kv_heads
  const q4 = g.node("Reshape", [q, g.ints([-1, s.kv_heads, group, d])])
  const rows = g.node("Transpose", [q4], { perm: [1, 2, 0, 3] }) // [kv heads, group, n, d]
  const qh = g.node("Reshape", [rows, g.ints([s.kv_heads, -1, d])])
  const mixed = b.attendOver(qh, keys, values, mask)
  const apart = g.node("Reshape", [mixed, g.ints([s.kv_heads, group, -1, d])])
  return g.node("Reshape", [g.node("Transpose", [apart], { perm: [2, 0, 1, 3] }), g.ints(shape)])
}

/**
 * The local model on the places of `n` patches at once. `fromGlobal` and what is returned [n, P, D_L]. Inputs:
 * local_previous and those of the bytes before, see `parallelGraph`.
 */
export function localInParallel(b: Builder, fromGlobal: Value, n: Dim): Stream {
  const { g, m, index } = b
  const { patch: P } = m
  const localPrevious = g.input("local_previous", index, [n, P])
  const parts = [fromGlobal, g.node("Gather", [g.weight("local_embed.weight"), localPrevious])]
  if (m.ngrams) {
    const { orders, width } = m.ngrams
    const ids = g.input("ngram_ids", index, [n, P, orders.length])
    parts.push(ngramRows(b, ids, [-1, P, orders.length * width]))
  }
  if (m.lookback) {
    const ids = g.input("lookback_ids", index, [n, P, lookbackSizes(m.lookback).columns])
    parts.push(lookbackRows(b, ids, P))
  }
  if (m.notes) parts.push(noteRows(b, g.input("note_rows", index, [n, P, BYTE_COLUMNS])))
  return localBlocks(b, () => b.sum(parts), P)
}

/** What a place's part of the local model leaves for the places after it: keys and values a layer, halves of the stream. */
export type LocalTrace = { keys: Value[]; values: Value[]; halves: Value[] }

/** The blocks of the local model on `P` places of many patches at once; `trace` is filled with what all places leave. */
function localBlocks(b: Builder, enter: () => Stream, P: number, trace?: LocalTrace): Stream {
  const { g, m } = b
  const { local: L } = m
  const causal = Array.from({ length: P * P }, (_, i) => (i % P <= Math.floor(i / P) ? 0 : -3e4))
  const localMask = g.node("Concat", Array<Value>(L.heads / L.kv_heads).fill(b.reals(causal, [P, P])), { axis: 0 })
  const dl = headWidth(L)
  const localGroup = L.heads / L.kv_heads
  const attendLocal: Attend = (qkv) => {
    const [q, k, v] = b.queryKeyValue(qkv, L, localRotary(b, P))
    // [n, P, heads * d] -> [n, kv heads, group * P, d]
    const split = (x: Value, shape: number[], perm: number[]) =>
      g.node("Transpose", [g.node("Reshape", [x, g.ints(shape)])], { perm })
    const q5 = split(q, [-1, P, L.kv_heads, localGroup, dl], [0, 2, 3, 1, 4])
    const qh = g.node("Reshape", [q5, g.ints([-1, L.kv_heads, localGroup * P, dl])])
    const kh = split(k, [-1, P, L.kv_heads, dl], [0, 2, 1, 3])
    const vh = split(v, [-1, P, L.kv_heads, dl], [0, 2, 1, 3])
    trace?.keys.push(kh)
    trace?.values.push(vh)
    const scores = b.gpu
      ? g.node("MatMul", [qh, g.node("Transpose", [kh], { perm: [0, 1, 3, 2] })])
      : g.node("FusedMatMul", [qh, kh], { transB: 1 })
    const p = g.node("Softmax", [g.node("Add", [scores, localMask])], { axis: -1 })
    const mixed = g.node("Reshape", [g.node("MatMul", [p, vh]), g.ints([-1, L.kv_heads, localGroup, P, dl])])
    return g.node("Reshape", [
      g.node("Transpose", [mixed], { perm: [0, 3, 1, 2, 4] }),
      g.ints([-1, P, attentionWidth(L)]),
    ])
  }
  const shift = b.shift((half) => {
    trace?.halves.push(half)
    const earlier = g.node("Slice", [half, g.ints([0]), g.ints([-1]), g.ints([1])])
    return g.node("Pad", [earlier, g.ints([0, 1, 0, 0, 0, 0])])
  })
  let inside = enter()
  for (let i = 0; i < L.layers; i++) inside = b.block(inside, "local", i, attendLocal, shift)
  return inside
}

/** Angles of a local model that turns queries and keys: of `count` places from the first. */
export function localRotary(b: Builder, count: number): Rotary | undefined {
  if (!b.m.local_rotary) return undefined
  const half = headWidth(b.m.local) / 2
  const angles = Array.from({ length: count * half }, (_, i) => rotaryAngle(Math.floor(i / half), i % half, half))
  const table = (values: number[]) => b.reals(values, [count, half])
  return { cos: table(angles.map(Math.cos)), sin: table(angles.map(Math.sin)), ids: b.g.ints([0]) }
}

/**
 * The aligned local model on whole patches: the start, then each byte with its share of the global output.
 * @param ids bytes [rows, P]; 256 and more where there is no patch
 * @param fromGlobal [rows, P, D_L]
 * @returns [rows, P + 1, D_L]; place p is before byte p, the last one before the next patch's first
 */
export function alignedLocal(b: Builder, ids: Value, fromGlobal: Value, trace?: LocalTrace): Value {
  const { g, m } = b
  const known = g.node("Min", [ids, g.ints([256], [])])
  const begun = g.node("Pad", [known, g.ints([0, 1, 0, 0]), g.ints([256], [])])
  const shares = g.node("Pad", [fromGlobal, g.ints([0, 1, 0, 0, 0, 0])])
  const x = g.node("Add", [g.node("Gather", [g.weight("local_embed.weight"), begun]), shares])
  const { x: sum, added } = localBlocks(b, () => ({ x }), m.patch + 1, trace)
  return added ? g.node("Add", [sum, added]) : sum
}

/** Local states [n, P, D_L] before every byte of `current`: those before first bytes are of the patch before. */
function alignedInParallel(b: Builder, previous: Value, current: Value, fromGlobal: Value, before: Value): Stream {
  const { g, m } = b
  const { patch: P, local } = m
  const slice = (x: Value, from: number[], to: number[], axes: number[]) =>
    g.node("Slice", [x, g.ints(from), g.ints(to), g.ints(axes)])
  const first = slice(g.node("Reshape", [previous, g.ints([-1, P])]), [0], [1], [0])
  const shares = g.node("Concat", [g.node("Reshape", [before, g.ints([1, P, local.width])]), fromGlobal], { axis: 0 })
  const all = alignedLocal(b, g.node("Concat", [first, current], { axis: 0 }), shares) // [n + 1, P + 1, D_L]
  const late = slice(all, [0, P], [-1, P + 1], [0, 1]) // [n, 1, D_L]
  const alone = slice(all, [0, 0], [1, 1], [0, 1])
  const begins = g.node("Where", [isPadding(b, previous, [-1, 1, 1]), alone, late])
  const rest = slice(all, [1, 1], [2 ** 31 - 1, P], [0, 1])
  return { x: g.node("Concat", [begins, rest], { axis: 1 }) }
}

/** Rows of the local table of notes, embedded and projected: [n, P, D_L]. */
function noteRows(b: Builder, ids: Value): Value {
  const { g, m } = b
  const rows = g.node("Gather", [g.weight("notes_byte_embed.weight"), ids])
  const width = BYTE_COLUMNS * (m.notes?.width ?? 0)
  return b.linear(g.node("Reshape", [rows, g.ints([-1, m.patch, width])]), "notes_to_local", false)
}
