import { writeWav } from "../../contract/wav.ts"

/** Samples a second at which a browser's decoder is asked for sound: more than any pack here can tell. */
const RATE = 24_000
/** Bytes of a file that are decoded at once, and the last seconds of it that are kept. */
const LARGEST = 2 ** 30
const SECONDS = 600

/** Whether a file's beginning is that of a sound or video that only a browser decodes: MP4 and the like, or AAC. */
export function isBrowsers(head: Uint8Array): boolean {
  const box = String.fromCharCode(...head.subarray(4, 12))
  if (/^ftyp(?!avi|hei|hev|mif|msf)|^(moov|mdat|wide|free|skip)/.test(box)) return true
  return head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0
}

/**
 * The sound of a file in a format for which the app itself has no decoder, but a browser has: its last ten minutes as a
 * mono WAV of the same name. Without: it is none, or cannot be decoded here either.
 */
export async function heardByBrowser(file: File): Promise<File | undefined> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer())
  if (file.size > LARGEST || !isBrowsers(head)) return undefined
  try {
    const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer())
    return new File([writeWav(monoEnd(sound), RATE)], file.name)
  } catch {
    return undefined
  }
}

/** The mean of all channels, at the end. */
function monoEnd(sound: AudioBuffer): Float32Array {
  const first = Math.max(0, sound.length - SECONDS * RATE)
  const mono = new Float32Array(sound.length - first)
  for (let c = 0; c < sound.numberOfChannels; c++) {
    const channel = sound.getChannelData(c)
    for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) + (channel[first + i] ?? 0) / sound.numberOfChannels
  }
  return mono
}
