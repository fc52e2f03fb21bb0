import { headWidth } from "../../contract/pack.ts"
import { ImportError } from "./error.ts"
import { type Converted, type Foreign, headsOf, type ImportOptions, joined, Shapes } from "./model.ts"

/**
 * MEGABYTE-pytorch (github.com/lucidrains/MEGABYTE-pytorch, MIT), read against version 0.3.6, of two stages. What it has other
 * than the paper is a switch of the configuration: see `aligned`, `token_shift` and `patch_embedder` of contract/pack.ts.
 */

/** Logit of a byte that the model has no token for. */
const NEVER = -1e4
/** Its example's; the package itself asks for it. */
const USUAL_CONTEXT = 1024

export const isMegabytePytorch = (tensors: Foreign) => tensors.has("start_tokens.0") && tensors.has("to_logits.weight")

/** @throws ImportError where the weights are not those of such a model, or it is of another number of stages */
export function fromMegabytePytorch(tensors: Foreign, options: ImportOptions): Converted {
  const shapes = new Shapes(tensors)
  const sizes = sizesOf(shapes)
  const { tokens, patch, places, learned, rotary } = sizes
  const weights: Weights = new Map()
  copyPatches(shapes, weights, sizes)
  const global = copyStage(shapes, weights, { from: 0, to: "global", width: sizes.coarse, rotary }, options)
  copyBytes(shapes, weights, sizes)
  const local = copyStage(shapes, weights, { from: 1, to: "local", width: sizes.fine, rotary }, options)
  if (rotary && headWidth(global) % 2) throw new ImportError("Its heads are of an odd width.")
  copyHead(shapes, weights, sizes)
  return {
    family: "MEGABYTE-pytorch",
    modality: options.modality ?? (tokens >= 256 ? "text" : "bytes"),
    media: {},
    weights,
    model: {
      patch,
      global,
      local,
      context: learned ? places : (options.context ?? USUAL_CONTEXT),
      window: 0,
      norm: "rmsnorm",
      norm_epsilon: 1e-16, // it bounds the root by 1e-8
      feed_forward: "gelu",
      position: learned ? (rotary ? "both" : "learned") : rotary ? "rotary" : "none",
      ...(rotary ? { local_rotary: true } : {}),
      patch_embedder: "projected",
      global_to_local: "full",
      aligned: true,
      token_shift: true,
      tied_head: false,
      head_bias: true,
      ...(hasEnd(sizes) ? { end_logit: true } : {}),
      bias: true,
    },
  }
}

type Weights = Converted["weights"]

/** What the shapes tell: channels of the coarse stage, which is global, and of the fine one, which is local. */
type Sizes = ReturnType<typeof sizesOf>

function sizesOf(shapes: Shapes) {
  const stages = shapes.count("start_tokens.")
  if (stages !== 2)
    throw new ImportError(`It is a MEGABYTE of ${stages} stages, as megaDNA is; those of 2 can be imported.`)
  const [tokens = 0, fine = 0] = shapes.of("to_logits.weight", 2)
  if (tokens > 257)
    throw new ImportError(`It has ${tokens} tokens; a model of bytes has up to 256, and one for the end.`)
  const [coarse = 0] = shapes.of("start_tokens.0", 1)
  const [projected = 0] = shapes.of("to_next_transformer_projections.0.1.weight", 2)
  const patch = projected / fine
  if (!Number.isInteger(patch)) throw new ImportError("Its two stages do not fit each other.")
  const learned = shapes.has("pos_embs.0.weight")
  const rotary = shapes.has("transformers.0.rotary_emb.inv_freq")
  const [places = 0] = learned ? shapes.of("pos_embs.0.weight", 2) : []
  return { tokens, fine, coarse, patch, places, learned, rotary }
}

const hasEnd = ({ tokens }: Sizes) => tokens === 257

/** Copies a tensor of this shape under a name of ours. */
const copy = (shapes: Shapes, weights: Weights, name: string, source: string, shape: number[]) =>
  weights.set(name, shapes.reader(source, shape))

/** Rows for all 256 bytes of a table that may have fewer, and `last`. */
const byteTable = (width: number, read: () => Float32Array, last: () => Float32Array) => () => {
  const table = new Float32Array(256 * width)
  table.set(read().subarray(0, 256 * width))
  return joined(table, last())
}

/** The way of patches into the global model, and positions of both. */
function copyPatches(shapes: Shapes, weights: Weights, { tokens, fine, coarse, patch, places, learned }: Sizes): void {
  const flat = patch * fine
  const none = () => new Float32Array(fine)
  weights.set("patch_embed.weight", byteTable(fine, shapes.reader("token_embs.1.0.weight", [tokens, fine]), none))
  copy(shapes, weights, "patch_start.weight", "start_tokens.0", [coarse])
  for (const end of ["weight", "bias"]) {
    copy(shapes, weights, `patch_embed_norm.${end}`, `token_embs.1.2.${end}`, [flat])
    copy(shapes, weights, `patch_to_global.${end}`, `token_embs.1.3.${end}`, end === "bias" ? [coarse] : [coarse, flat])
    copy(shapes, weights, `patch_norm.${end}`, `token_embs.1.4.${end}`, [coarse])
  }
  if (learned) {
    // Its start has no position; the patch after it has the first.
    const position = shapes.reader("pos_embs.0.weight", [places, coarse])
    weights.set("patch_position", () => joined(new Float32Array(coarse), position().slice(0, (places - 1) * coarse)))
    copy(shapes, weights, "local_position", "pos_embs.1.weight", [patch, fine])
  } else weights.set("local_position", () => new Float32Array(flat))
}

/** What the local model takes in: the global model's output, and bytes. */
function copyBytes(shapes: Shapes, weights: Weights, { tokens, fine, coarse, patch }: Sizes): void {
  const flat = patch * fine
  copy(shapes, weights, "to_local.weight", "to_next_transformer_projections.0.1.weight", [flat, coarse])
  copy(shapes, weights, "to_local.bias", "to_next_transformer_projections.0.1.bias", [flat])
  const start = shapes.reader("start_tokens.1", [fine])
  weights.set("local_embed.weight", byteTable(fine, shapes.reader("token_embs.0.weight", [tokens, fine]), start))
}

function copyHead(shapes: Shapes, weights: Weights, sizes: Sizes): void {
  const { tokens, fine } = sizes
  const count = hasEnd(sizes) ? 257 : 256
  const head = shapes.reader("to_logits.weight", [tokens, fine])
  const bias = shapes.reader("to_logits.bias", [tokens])
  weights.set("head.weight", () => padded(head(), count * fine, 0))
  weights.set("head.bias", () => padded(bias(), count, NEVER))
}

/** One of its transformers under the names of a stage of ours, and what its shapes tell of it. */
function copyStage(
  shapes: Shapes,
  weights: Weights,
  { from: number, to, width, rotary }: { from: number; to: "global" | "local"; width: number; rotary: boolean },
  options: ImportOptions,
) {
  const from = `transformers.${number}.`
  const layers = shapes.count(`${from}layers.`)
  const [inner = 0] = shapes.of(`${from}layers.0.0.to_q.weight`, 2)
  const [both = 0] = shapes.of(`${from}layers.0.0.to_kv.weight`, 2)
  const [ff = 0] = shapes.of(`${from}layers.0.1.1.weight`, 2)
  const [half = 0] = rotary ? shapes.of(`${from}rotary_emb.inv_freq`, 1) : []
  // Versions before 0.3 have one head of keys and values; with rotary positions the head's width is told.
  const shared = both < 2 * inner ? both / 2 : undefined
  const told = half ? 2 * half : shared
  const heads = headsOf(inner, told ? inner / told : options.heads)
  const kv_heads = shared ? 1 : heads
  const zeros = (name: string, count: number) => weights.set(name, () => new Float32Array(count))
  for (let i = 0; i < layers; i++) {
    const [at, attention, feedForward] = [`${to}_blocks.${i}`, `${from}layers.${i}.0`, `${from}layers.${i}.1`]
    copy(shapes, weights, `${at}.attention_norm.weight`, `${attention}.norm.g`, [width])
    const q = shapes.reader(`${attention}.to_q.weight`, [inner, width])
    const kv = shapes.reader(`${attention}.to_kv.weight`, [both, width])
    weights.set(`${at}.qkv.weight`, () => joined(q(), kv()))
    zeros(`${at}.qkv.bias`, inner + both)
    copy(shapes, weights, `${at}.attention_out.weight`, `${attention}.to_out.weight`, [width, inner])
    zeros(`${at}.attention_out.bias`, width)
    copy(shapes, weights, `${at}.ff_norm.weight`, `${feedForward}.0.g`, [width])
    copy(shapes, weights, `${at}.ff_in.weight`, `${feedForward}.1.weight`, [ff, width])
    copy(shapes, weights, `${at}.ff_in.bias`, `${feedForward}.1.bias`, [ff])
    copy(shapes, weights, `${at}.ff_out.weight`, `${feedForward}.4.weight`, [width, ff])
    copy(shapes, weights, `${at}.ff_out.bias`, `${feedForward}.4.bias`, [width])
  }
  copy(shapes, weights, `${to}_norm.weight`, `${from}norm.g`, [width])
  return { width, layers, heads, kv_heads, ff, head_width: inner / heads }
}

/** `values` and after them `rest`, `count` in all. */
function padded(values: Float32Array, count: number, rest: number): Float32Array {
  const out = new Float32Array(count).fill(rest)
  out.set(values.subarray(0, count))
  return out
}
