import { z } from "zod"
import { Presets, Ranges, Sampling } from "./sampling.ts"

const count = z.int().positive().max(65536)

/** One transformer of the model: the global or the local one. */
export const Stage = z
  .object({ width: count, layers: z.int().min(0).max(256), heads: count, kv_heads: count, ff: count })
  .strict()
  .refine((s) => s.width % s.heads === 0, { error: "width must be a multiple of heads" })
  .refine((s) => s.heads % s.kv_heads === 0, { error: "heads must be a multiple of kv_heads" })
export type Stage = z.infer<typeof Stage>

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

/** Linear prediction of mu-law samples, fitted to the `window` of them before each patch; see training/megabyte/lpc.py. */
export const Lpc = z.object({ order: z.int().min(1).max(512), window: z.int().min(20).max(16384) }).strict()
export type Lpc = z.infer<typeof Lpc>

/** The longest match of the last bytes with those up to `window` before, in steps of `unit`; see training/megabyte/match.py. */
export const Match = z.object({ window: z.int().min(1).max(65536), unit: z.int().min(1).max(64).default(1) }).strict()
export type Match = z.infer<typeof Match>

/** Single earlier bytes seen directly (pixels around, samples before), and guesses made of them; see model.py. */
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
export type Lookback = z.infer<typeof Lookback>

/** The architecture numbers: the same names as in native-models/training/megabyte/model.py. */
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
    feed_forward: z.enum(["relu", "swiglu"]),
    position: z.enum(["learned", "rotary"]),
    global_to_local: z.enum(["slice", "full"]),
    tied_head: z.boolean(),
    bias: z.boolean(),
    ngrams: NGrams.optional(),
    lookback: Lookback.optional(),
  })
  .strict()
  .refine((m) => m.global.width % m.patch === 0, { error: "the global width must be a multiple of the patch" })
  .refine((m) => m.window <= m.context, { error: "the window must not be longer than the context" })
  .refine((m) => reach(m) > 1, { error: "the window must be at least 2 patches" })
  .refine((m) => m.position !== "rotary" || (m.global.width / m.global.heads) % 2 === 0, {
    error: "rotary positions need an even head width",
  })
export type ModelConfig = z.infer<typeof ModelConfig>

const styled = {
  /** Bytes of the header before a document: the style byte, so many times. A whole number of patches. */
  header: z.int().min(0).max(4096),
  /** Names of the styles by their number; the first leaves it open. */
  styles: z.array(z.string().max(40)).max(128).default([]),
  /** Number of the style that something new has where none was chosen. */
  defaultStyle: z.int().min(0).max(127).optional(),
}

/** Media of an image pack: pixels of one canvas in raster order, three bytes of RGB each or one index into a palette. */
export const Canvas = z
  .object({
    width: z.int().min(1).max(512),
    height: z.int().min(1).max(512),
    /** Colors by their index; without them a pixel is RGB. */
    palette: z
      .array(z.string().regex(/^#[0-9a-f]{6}$/, { error: "a color is written #rrggbb" }))
      .min(2)
      .max(256)
      .optional(),
    /** The index that stands for no color. */
    transparent: z.int().min(0).max(255).optional(),
    /**
     * Whether the second half of the header tells to read by columns (1) or by rows (0): a picture can then be continued
     * from its left. Without it the header is all style.
     */
    columns: z.boolean().optional(),
    ...styled,
  })
  .refine(({ palette = [], transparent = 0 }) => !transparent || transparent < palette.length, {
    error: "it must be an index into the palette",
    path: ["transparent"],
  })
export type Canvas = z.infer<typeof Canvas>

/** Media of an audio pack: mono samples at one rate, a byte each on the mu-law curve or two as 16-bit little-endian. */
export const Sound = z.object({
  rate: z.int().min(4000).max(48000),
  encoding: z.enum(["mu-law", "pcm16"]),
  /**
   * Level of noise that the model is told its past has while it generates, in the second half of the header (see noisy
   * in training/megabyte/data.py): it then mends its own small errors. Without it the header is all style.
   */
  noise: z.int().min(0).max(127).optional(),
  ...styled,
})
export type Sound = z.infer<typeof Sound>

/** Media of a text pack. */
export const Text = z.object({
  encoding: z.literal("utf-8").optional(),
  /** The byte that stands where a document ends. */
  endOfDocument: z.int().min(0).max(255).optional(),
  ...styled,
  header: styled.header.default(0),
})
export type Text = z.infer<typeof Text>

/** Second half of a text's header: whether the text after it is a document's beginning or comes from further on. */
const BEGINS = 1
const WITHIN = 2

/** pack.json. What a person reads about a pack stands here too; unknown extra fields are kept out of the way. */
const PackFields = z.object({
  format: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  title: z.string().min(1).max(80),
  version: z.string().max(40),
  license: z.string().max(200),
  modality: z.enum(["text", "image", "audio", "bytes"]),
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
  if (pack.modality === "bytes") return
  const media = { text: Text, image: Canvas, audio: Sound }[pack.modality].safeParse(pack.media)
  if (!media.success) {
    const issue = media.error.issues[0]
    context.addIssue({ code: "custom", path: ["media", ...(issue?.path ?? [])], message: issue?.message ?? "" })
    return
  }
  const { header, styles, defaultStyle } = media.data
  if (header % pack.model.patch)
    context.addIssue({ code: "custom", path: ["media", "header"], message: "it must be a whole number of patches" })
  if (defaultStyle && defaultStyle >= styles.length)
    context.addIssue({ code: "custom", path: ["media", "defaultStyle"], message: "there is no style of that number" })
})
export type Pack = z.infer<typeof Pack>

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
export function reach(model: { window: number; context: number }): number {
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

/** Names of a pack's styles by their byte; the first leaves it open. */
export const stylesOf = (pack: Pack): string[] => mediaOf(pack)?.styles ?? []

/** The number of the style that something new has where none was chosen. */
export const defaultStyleOf = (pack: Pack): number => mediaOf(pack)?.defaultStyle ?? 0

const mediaOf = (pack: Pack) => canvasOf(pack) ?? soundOf(pack) ?? textOf(pack)

/** Bytes that stand for something else than text in this pack's documents: the end mark, and those of the header. */
export function marksOf(pack: Pack): number[] {
  const { endOfDocument, header = 0, styles = [] } = textOf(pack) ?? {}
  const ofHeader = header ? Array.from({ length: Math.max(styles.length, WITHIN) }, (_, i) => i + 1) : []
  return [...(endOfDocument === undefined ? [] : [endOfDocument]), ...ofHeader]
}

/** What a header tells the model. */
export type Told = {
  style?: number | undefined
  columns?: boolean | undefined
  /** Whether the document is to be gone on with, not scored. */
  generating?: boolean
  cut?: boolean
}

/**
 * What stands before a document of this pack. Pictures: their style and, in the second half where a pack knows both, how
 * they are read: by rows (0) or by columns (1). Sound: its style and, in the second half, the level of noise of its past,
 * both counted from silence, so that they are not heard. Text: its style, and whether its beginning is there (`cut`: it
 * is not), both counted from 1, as 0 is the end mark of the texts that were trained on.
 */
export function headerOf(pack: Pack, { style = 0, columns = false, generating = false, cut = false }: Told = {}) {
  const [canvas, sound, text] = [canvasOf(pack), soundOf(pack), textOf(pack)]
  const header = new Uint8Array(mediaOf(pack)?.header ?? 0).fill((sound ? 128 : text ? 1 : 0) + style)
  if (canvas?.columns) header.fill(columns ? 1 : 0, header.length >> 1)
  if (sound?.noise !== undefined) header.fill(128 + (generating ? sound.noise : 0), header.length >> 1)
  if (text) header.fill(cut ? WITHIN : BEGINS, header.length >> 1)
  return header
}

/** Bytes of one pixel. */
export const pixelBytes = ({ palette }: Pick<Canvas, "palette">) => (palette ? 1 : 3)

/** Bytes of one row of pixels; of one column, where a picture is read by columns. */
export const rowBytes = (canvas: Canvas, columns = false) =>
  (columns ? canvas.height : canvas.width) * pixelBytes(canvas)

/** Bytes of a whole picture. */
export const canvasBytes = (canvas: Canvas) => rowBytes(canvas) * canvas.height

/** Where pixel `i` of a document stands in raster order. */
export const placeOf = (i: number, { width, height }: Canvas, columns = false) =>
  columns ? (i % height) * width + Math.floor(i / height) : i

/** A whole picture's bytes in raster order, read by columns. */
export function byColumns(bytes: Uint8Array, canvas: Canvas): Uint8Array<ArrayBuffer> {
  const size = pixelBytes(canvas)
  const read = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length / size; i++) {
    const place = placeOf(i, canvas, true) * size
    read.set(bytes.subarray(place, place + size), i * size)
  }
  return read
}

/** Bytes of one sample. */
export const sampleBytes = ({ encoding }: Sound) => (encoding === "pcm16" ? 2 : 1)

/** Bytes of one second of sound. */
export const secondBytes = (sound: Sound) => sound.rate * sampleBytes(sound)
