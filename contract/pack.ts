import { z } from "zod"
import { Sound } from "./modality/audio.ts"
import { Canvas } from "./modality/image.ts"
import { Modality, modalities } from "./modality/index.ts"
import type { Documents } from "./modality/modality.ts"
import { Text } from "./modality/text.ts"
import { Presets, Ranges, Sampling } from "./sampling.ts"

export { Sound, secondBytes } from "./modality/audio.ts"
export { byColumns, Canvas, canvasBytes, inRaster, pixelBytes, placeOf, rowBytes } from "./modality/image.ts"
export { Text } from "./modality/text.ts"
export { sampleBytes } from "./samples.ts"

const count = z.int().positive().max(65536)

/** One transformer of the model: the global or the local one. */
export const Stage = z
  .object({
    width: count,
    layers: z.int().min(0).max(256),
    heads: count,
    kv_heads: count,
    ff: count,
    /** Of one attention head; without it the width's share. */
    head_width: count.optional(),
  })
  .strict()
  .refine((s) => s.head_width !== undefined || s.width % s.heads === 0, { error: "width must be a multiple of heads" })
  .refine((s) => s.heads % s.kv_heads === 0, { error: "heads must be a multiple of kv_heads" })
export type Stage = z.infer<typeof Stage>

/** Width of one attention head. */
export const headWidth = ({ width, heads, head_width }: Stage) => head_width ?? width / heads

/** Width of all of a stage's heads together, which need not be its own. */
export const attentionWidth = (stage: Stage) => stage.heads * headWidth(stage)

/** Hashed n-gram embeddings of the last bytes (BLT, arXiv 2412.09871, section 3.2.1). */
export const NGrams = z
  .object({
    orders: z.array(z.int().min(2).max(8)).min(1).max(8),
    rows: z
      .int()
      .min(2)
      .max(1 << 20)
      .refine((n) => (n & (n - 1)) === 0, { error: "rows must be a power of two" }),
    width: count,
    /** Whether the patch embedder sees them too: each byte's patch embedding gets those that end at it. */
    patch_embedder: z.boolean().default(false),
  })
  .strict()
export type NGrams = z.infer<typeof NGrams>

const back = z.int().min(1).max(4096)

/** Linear prediction of mu-law samples, fitted to the `window` of them before each patch; see training/megabyte/features/lpc.py. */
export const Lpc = z.object({ order: z.int().min(1).max(512), window: z.int().min(20).max(16384) }).strict()
export type Lpc = z.infer<typeof Lpc>

/**
 * The longest match of the last bytes with those up to `window` before, in steps of `unit`; or, with `names`, that of the
 * word so far with names before it. See training/megabyte/features/match.py.
 */
export const Match = z
  .object({
    window: z.int().min(1).max(65536),
    unit: z.int().min(1).max(64).default(1),
    names: z.boolean().optional(),
  })
  .strict()
  .refine(({ names, unit }) => !names || unit === 1, { error: "names are looked for byte by byte" })
export type Match = z.infer<typeof Match>

/** Single earlier bytes seen directly (pixels around, samples before), and guesses made of them; see training/megabyte/config.py. */
export const Lookback = z
  .object({
    /** How many bytes back. */
    offsets: z.array(back).max(64),
    width: count,
    /** Each a sum of [bytes back, weight]; the head predicts the byte and what is left after each guess. */
    predictions: z
      .array(
        z
          .array(z.tuple([back, z.int().min(-8).max(8)]))
          .min(1)
          .max(16),
      )
      .max(16),
    lpc: z.array(Lpc).max(8).default([]),
    matches: z.array(Match).max(8).default([]),
  })
  .strict()
  .refine(({ offsets, lpc, matches }) => offsets.length + lpc.length + matches.length > 0, {
    error: "lookback needs offsets, lpc or matches",
  })
  .refine(({ matches }) => matches.every(({ window, unit }) => window >= unit), {
    error: "a match needs a window of at least its unit",
  })
  .refine(({ matches }) => matches.filter(({ names }) => names).length < 2, { error: "names are looked for once" })
export type Lookback = z.infer<typeof Lookback>

/**
 * Notes heard in 8-bit sound, told to both models; see training/megabyte/features/notes.py. Such a pack decodes by drafts, on the
 * processor.
 */
export const Notes = z
  .object({
    /** Patches of a bar: the place in it is told, and what stood each of `bars` of them ago. */
    bar: z.int().min(1).max(1024),
    bars: z.array(z.int().min(1).max(64)).max(8),
    /** How many notes before the present one are told. */
    before: z.int().min(0).max(16),
    /** Of the local embeddings. */
    width: count,
    /** Whether the head has logits of what is left after two guesses: the byte a period ago and the byte recalled. */
    guesses: z.boolean().default(false),
  })
  .strict()
export type Notes = z.infer<typeof Notes>

/** The architecture numbers: the same names as in native-models/training/megabyte/config.py. */
export const ModelConfig = z
  .object({
    /** P: bytes in a patch. */
    patch: z.int().min(1).max(1024),
    global: Stage,
    local: Stage,
    /** Patches in a training sequence; with learned positions also the last position there is. */
    context: count,
    /** Patches that a global layer sees, itself included; 0: the whole context. */
    window: z.int().min(0).max(65536),
    norm: z.enum(["layernorm", "rmsnorm"]),
    /** What keeps the norms from dividing by nothing; 1e-5 where nothing is said. */
    norm_epsilon: z.number().positive().max(1).optional(),
    /** gelu is exact, gelu_tanh its approximation in GPT-2. */
    feed_forward: z.enum(["relu", "swiglu", "gelu", "gelu_tanh"]),
    /** Of the global model. */
    position: z.enum(["learned", "rotary", "both", "none"]),
    /** Whether the local model turns its queries and keys too. */
    local_rotary: z.boolean().optional(),
    /**
     * How a patch becomes a vector: its bytes' embeddings side by side where nothing is said; a vector for every byte at every
     * place, summed ("table", as a linear layer on one-hot bytes); or the embeddings side by side, normed, projected and
     * normed ("projected").
     */
    patch_embedder: z.enum(["table", "projected"]).optional(),
    /** "first": the global output as it is stands at a patch's first place alone. */
    global_to_local: z.enum(["slice", "full", "first"]),
    /**
     * Whether a byte's local embedding stands with its own share of the global output, after a place with neither: the
     * byte after a patch is then predicted at that patch's last place (MEGABYTE-pytorch). Without it a share stands with
     * the byte before.
     */
    aligned: z.boolean().optional(),
    /** Whether half of every block's channels come from the place before (RWKV's token shift). */
    token_shift: z.boolean().optional(),
    tied_head: z.boolean(),
    head_bias: z.boolean().optional(),
    /** Whether the head has a 257th logit: the document ends here. */
    end_logit: z.boolean().optional(),
    bias: z.boolean(),
    ngrams: NGrams.optional(),
    lookback: Lookback.optional(),
    notes: Notes.optional(),
  })
  .strict()
  .refine((m) => m.patch_embedder || m.global.width % m.patch === 0, {
    error: "the global width must be a multiple of the patch",
  })
  .refine((m) => m.global_to_local !== "slice" || m.global.width % m.patch === 0, {
    error: "the global width must be a multiple of the patch",
  })
  .refine((m) => m.global_to_local !== "first" || m.global.width === m.local.width, {
    error: "the global width must be the local one",
  })
  .refine((m) => !(m.aligned || m.token_shift) || !(m.notes || m.ngrams || m.lookback), {
    error: "aligned and shifted models see neither notes nor n-grams nor lookback",
  })
  .refine((m) => !m.aligned || m.patch > 1, { error: "an aligned model needs patches of 2 bytes or more" })
  .refine((m) => !m.token_shift || (m.aligned && (m.global.width | m.local.width) % 2 === 0), {
    error: "token shift needs an aligned model and even widths",
  })
  .refine((m) => !m.tied_head || !(m.end_logit || m.head_bias), { error: "a tied head has 256 rows and no bias" })
  .refine((m) => m.window <= m.context, { error: "the window must not be longer than the context" })
  .refine((m) => !m.notes || (m.position === "rotary" && !m.ngrams && !m.lookback), {
    error: "notes need rotary positions and neither n-grams nor lookback",
  })
  .refine((m) => attentionWindow(m) > 1, { error: "the window must be at least 2 patches" })
  .refine((m) => !isRotary(m) || headWidth(m.global) % 2 === 0, {
    error: "rotary positions need an even head width",
  })
export type ModelConfig = z.infer<typeof ModelConfig>

/** Whether a model's positions end: they are rows of a table. */
export const hasLearnedPositions = ({ position }: Pick<ModelConfig, "position">) =>
  position === "learned" || position === "both"

/** Whether the global model turns its queries and keys by their positions. */
export function isRotary({ position }: { position: string }): boolean {
  return position === "rotary" || position === "both"
}

/** Logits of the head: one a byte, and that of the end. */
export const logitsOf = ({ end_logit }: Pick<ModelConfig, "end_logit">) => (end_logit ? 257 : 256)

/** Numbers that a model carries from patch to patch beside its keys and values: halves of its streams, and the last local input. */
export const carriedWidth = ({ aligned, token_shift, global: g, local, patch }: ModelConfig) =>
  (token_shift ? g.layers * g.width : 0) + (aligned ? patch * local.width : 0)

/** pack.json. What a person reads about a pack stands here too; unknown extra fields are kept out of the way. */
const PackFields = z.object({
  format: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  title: z.string().min(1).max(80),
  version: z.string().max(40),
  license: z.string().max(200),
  modality: Modality,
  media: z.record(z.string(), z.unknown()),
  data: z.string().max(4000),
  /** How it is best sampled, by those who made it. */
  sampling: Sampling.optional(),
  presets: Presets.optional(),
  /** Between which values it was tried. */
  ranges: Ranges.optional(),
  model: ModelConfig,
  storage: z.enum(["int8", "fp16", "fp32"]),
  parameters: z.int().positive(),
  heldOut: z.object({ bitsPerByte: z.number(), files: z.record(z.string(), z.number()) }).loose(),
  training: z.record(z.string(), z.unknown()),
})
export const Pack = PackFields.superRefine((pack, context) => {
  const { format, documents } = modalities[pack.modality]
  const media = format.safeParse(pack.media)
  if (!media.success) {
    const issue = media.error.issues[0]
    context.addIssue({ code: "custom", path: ["media", ...(issue?.path ?? [])], message: issue?.message ?? "" })
    return
  }
  const { header, styles, defaultStyle } = documents(media.data)
  if (header().length % pack.model.patch)
    context.addIssue({ code: "custom", path: ["media", "header"], message: "it must be a whole number of patches" })
  if (defaultStyle && defaultStyle >= styles.length)
    context.addIssue({ code: "custom", path: ["media", "defaultStyle"], message: "there is no style of that number" })
})
export type Pack = z.infer<typeof Pack>

/** Whether something was held out that the pack was measured by. */
export const isMeasured = ({ heldOut }: Pick<Pack, "heldOut">) => Object.keys(heldOut.files).length > 0

/** How the weights are held while decoding. fp16 is for GPUs that have it: a CPU has no fast products in it. */
export const Precision = z.enum(["fp32", "fp16", "int8"])
export type Precision = z.infer<typeof Precision>

/**
 * What a model runs on, by the names that onnxruntime gives them: the processor, a GPU through WebGPU (Vulkan, Metal or
 * Direct3D 12), or what a system has of its own.
 */
export const Device = z.enum(["cpu", "webgpu", "coreml", "dml", "cuda"])
export type Device = z.infer<typeof Device>

/** What a person chooses: a device, the GPU there is, or whichever measures fastest. */
export const DeviceChoice = z.enum(["auto", "gpu", "cpu"])
export type DeviceChoice = z.infer<typeof DeviceChoice>

/** Patches that a global layer can look back over, itself included. */
export function attentionWindow(model: { window: number; context: number }): number {
  return model.window || model.context
}

/** The canvas of an image pack; undefined for other packs. */
export function canvasOf(pack: Pack): Canvas | undefined {
  return pack.modality === "image" ? Canvas.parse(pack.media) : undefined
}

/** The samples of an audio pack; undefined for other packs. */
export function soundOf(pack: Pack): Sound | undefined {
  return pack.modality === "audio" ? Sound.parse(pack.media) : undefined
}

/** The marks of a text pack; undefined for other packs. */
export function textOf(pack: Pack): Text | undefined {
  return pack.modality === "text" ? Text.parse(pack.media) : undefined
}

const known = new WeakMap<object, Documents>()

/** What the documents of a pack are like. */
export function documentsOf({ modality, media }: Pick<Pack, "modality" | "media">): Documents {
  const documents = known.get(media) ?? modalities[modality].documents(media)
  known.set(media, documents)
  return documents
}

/** Whether a chosen style can be given more weight: drafts, which follow notes, are not made with guidance. */
export const canBeGuided = (pack: Pick<Pack, "modality" | "media" | "model">) =>
  documentsOf(pack).styles.length > 1 && !pack.model.notes
