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
  const context = learned ? places : (options.context ?? USUAL_CONTEXT)
  const hasEnd = tokens === 257

  const weights: Converted["weights"] = new Map()
  const zeros = (name: string, count: number) => weights.set(name, () => new Float32Array(count))
  const copy = (name: string, source: string, shape: number[]) => weights.set(name, shapes.reader(source, shape))
  /** Rows for all 256 bytes of a table that may have fewer, and `last`. */
  const bytes = (read: () => Float32Array, last: () => Float32Array) => () => {
    const table = new Float32Array(256 * fine)
    table.set(read().subarray(0, 256 * fine))
    return joined(table, last())
  }

  const stage = (s: number, to: string, width: number) => {
    const from = `transformers.${s}.`
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
    for (let i = 0; i < layers; i++) {
      const [at, attention, feedForward] = [`${to}_blocks.${i}`, `${from}layers.${i}.0`, `${from}layers.${i}.1`]
      copy(`${at}.attention_norm.weight`, `${attention}.norm.g`, [width])
      const q = shapes.reader(`${attention}.to_q.weight`, [inner, width])
      const kv = shapes.reader(`${attention}.to_kv.weight`, [both, width])
      weights.set(`${at}.qkv.weight`, () => joined(q(), kv()))
      zeros(`${at}.qkv.bias`, inner + both)
      copy(`${at}.attention_out.weight`, `${attention}.to_out.weight`, [width, inner])
      zeros(`${at}.attention_out.bias`, width)
      copy(`${at}.ff_norm.weight`, `${feedForward}.0.g`, [width])
      copy(`${at}.ff_in.weight`, `${feedForward}.1.weight`, [ff, width])
      copy(`${at}.ff_in.bias`, `${feedForward}.1.bias`, [ff])
      copy(`${at}.ff_out.weight`, `${feedForward}.4.weight`, [width, ff])
      copy(`${at}.ff_out.bias`, `${feedForward}.4.bias`, [width])
    }
    copy(`${to}_norm.weight`, `${from}norm.g`, [width])
    return { width, layers, heads, kv_heads, ff, head_width: inner / heads }
  }

  const flat = patch * fine
  const none = () => new Float32Array(fine)
  weights.set("patch_embed.weight", bytes(shapes.reader("token_embs.1.0.weight", [tokens, fine]), none))
  copy("patch_start.weight", "start_tokens.0", [coarse])
  copy("patch_embed_norm.weight", "token_embs.1.2.weight", [flat])
  copy("patch_embed_norm.bias", "token_embs.1.2.bias", [flat])
  copy("patch_to_global.weight", "token_embs.1.3.weight", [coarse, flat])
  copy("patch_to_global.bias", "token_embs.1.3.bias", [coarse])
  copy("patch_norm.weight", "token_embs.1.4.weight", [coarse])
  copy("patch_norm.bias", "token_embs.1.4.bias", [coarse])
  if (learned) {
    // Its start has no position; the patch after it has the first.
    const position = shapes.reader("pos_embs.0.weight", [places, coarse])
    weights.set("patch_position", () => joined(new Float32Array(coarse), position().slice(0, (places - 1) * coarse)))
    copy("local_position", "pos_embs.1.weight", [patch, fine])
  } else zeros("local_position", flat)
  const global = stage(0, "global", coarse)
  copy("to_local.weight", "to_next_transformer_projections.0.1.weight", [flat, coarse])
  copy("to_local.bias", "to_next_transformer_projections.0.1.bias", [flat])
  const start = shapes.reader("start_tokens.1", [fine])
  weights.set("local_embed.weight", bytes(shapes.reader("token_embs.0.weight", [tokens, fine]), start))
  const local = stage(1, "local", fine)
  if (rotary && headWidth(global) % 2) throw new ImportError("Its heads are of an odd width.")
  const head = shapes.reader("to_logits.weight", [tokens, fine])
  const bias = shapes.reader("to_logits.bias", [tokens])
  weights.set("head.weight", () => padded(head(), (hasEnd ? 257 : 256) * fine, 0))
  weights.set("head.bias", () => padded(bias(), hasEnd ? 257 : 256, NEVER))
  return {
    family: "MEGABYTE-pytorch",
    modality: options.modality ?? (tokens >= 256 ? "text" : "bytes"),
    media: {},
    weights,
    model: {
      patch,
      global,
      local,
      context,
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
      ...(hasEnd ? { end_logit: true } : {}),
      bias: true,
    },
  }
}

/** `values` and after them `rest`, `count` in all. */
function padded(values: Float32Array, count: number, rest: number): Float32Array {
  const out = new Float32Array(count).fill(rest)
  out.set(values.subarray(0, count))
  return out
}
