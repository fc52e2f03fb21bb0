/** The decoders of compressed sound: each a package of its own under MIT, Apache-2.0 or LGPL, loaded when it is needed. */

/** What a decoder gives for a piece: one array a channel, in -1..1; empty where a frame is not whole yet. */
export type Decoded = { channelData: Float32Array[]; sampleRate: number }
/** Decodes a file piece by piece; without a piece it gives what is left, and ends. */
export type PieceDecoder = (piece?: Uint8Array) => Promise<Decoded>

type Codec = { decode(piece: Uint8Array): Decoded; flush?(): Decoded; free?(): void }
type Package = { decoder(): Codec | Promise<Codec> }

const PACKAGES = {
  mp3: () => import("@audio/decode-mp3"),
  flac: () => import("@audio/decode-flac"),
  opus: () => import("@audio/decode-opus"),
  vorbis: () => import("@audio/decode-vorbis"),
  qoa: () => import("@audio/decode-qoa"),
  amr: () => import("@audio/decode-amr"),
  wma: () => import("@audio/decode-wma"),
} satisfies Record<string, () => Promise<Package>>

/** Codecs that are decoded here. */
export type CodecName = keyof typeof PACKAGES

const NOTHING: Decoded = { channelData: [], sampleRate: 0 }

/** Starts a decoder. It throws what its package throws, which need not be an Error. */
export async function startDecoder(name: CodecName): Promise<PieceDecoder> {
  const codec: Codec = await ((await PACKAGES[name]()) as Package).decoder()
  return async (piece) => {
    if (piece) return monoOnce(name, codec.decode(piece))
    const rest = codec.flush?.() ?? NOTHING
    codec.free?.()
    return monoOnce(name, rest)
  }
}

/** mpg123 gives a mono MP3 as two equal channels. */
function monoOnce(name: CodecName, decoded: Decoded): Decoded {
  const [left, right] = decoded.channelData
  if (name !== "mp3" || decoded.channelData.length !== 2 || !left || !right) return decoded
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return decoded
  return { ...decoded, channelData: [left] }
}
