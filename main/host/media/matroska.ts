import { BinaryReader } from "./binary.ts"
import type { Source } from "./source.ts"

/** Matroska and WebM (RFC 9559), as far as it takes to hand a sound's packets to its decoder. */

const EBML = 0x1a45dfa3
const DOC_TYPE = 0x4282
const SEGMENT = 0x18538067
const TRACKS = 0x1654ae6b
const TRACK = 0xae
const NUMBER = 0xd7
const TYPE = 0x83
const CODEC = 0x86
const PRIVATE = 0x63a2
const ENCODINGS = 0x6d80
const CLUSTER = 0x1f43b675
const GROUP = 0xa0
const BLOCK = 0xa1
const SIMPLE_BLOCK = 0xa3
/** Elements that hold others, as far as they are gone into. */
const PARENTS = new Set([SEGMENT, TRACKS, CLUSTER, GROUP])
/** Types of track. */
const VIDEO = 1
const AUDIO = 2
/** Elements of a file that are looked at; an hour of sound has some 200,000. */
const MOST_ELEMENTS = 5_000_000
/** Elements that may lie before the first cluster. */
const MOST_BEFORE = 100_000
/** Bytes of one packet of sound. */
const LARGEST_PACKET = 2 ** 20

export type MatroskaTrack = { number: number; type: number; codec: string; private: Buffer; encoded: boolean }
type Element = { id: number; at: number; end: number }

/** Whether a file is Matroska or WebM, by its whole header. */
export function isMatroska(source: Source): boolean {
  const file = new BinaryReader(source)
  if (file.u32(0) !== EBML) return false
  const [first] = elements(file, 0, Math.min(source.length, 4096))
  if (!first) return false
  for (const { id, at, end } of elements(file, first.at, first.end))
    if (id === DOC_TYPE) return /^(webm|matroska)\0*$/.test(file.name(at, end - at))
  return false
}

/** The tracks, which lie before the first cluster. */
export function matroskaTracks(source: Source): MatroskaTrack[] {
  const file = new BinaryReader(source)
  const tracks: MatroskaTrack[] = []
  for (const element of walk(file, MOST_BEFORE)) {
    if (element.id === CLUSTER) break
    if (element.id === TRACK) tracks.push(track(file, element))
  }
  return tracks
}

/** Whether one of the tracks is pictures. */
export const hasVideo = (tracks: MatroskaTrack[]) => tracks.some(({ type }) => type === VIDEO)
export const soundOf = (tracks: MatroskaTrack[]) => tracks.find(({ type }) => type === AUDIO)

/** The packets of one track, in order. */
export function* packetsOf(source: Source, number: number): Generator<Buffer> {
  const file = new BinaryReader(source)
  for (const { id, at, end } of walk(file, MOST_ELEMENTS)) {
    if (id !== SIMPLE_BLOCK && id !== BLOCK) continue
    if (end - at > LARGEST_PACKET) continue
    const block = file.bytes(at, end - at)
    const track = vint(block, 0, false)
    if (!track || track.value !== number) continue
    const flags = block[track.length + 2] ?? 0
    yield* laced(block.subarray(track.length + 3), (flags >> 1) & 3)
  }
}

/** Frames of a block (section 10.3): one, or several with their lengths before them. */
function* laced(block: Buffer, lacing: number): Generator<Buffer> {
  if (!lacing) return yield block
  const count = (block[0] ?? 0) + 1
  let at = 1
  const sizes: number[] = []
  if (lacing === 2) {
    const each = Math.floor((block.length - 1) / count)
    for (let i = 0; i < count - 1; i++) sizes.push(each)
  } else if (lacing === 1) {
    for (let i = 0; i < count - 1; i++) {
      let size = 0
      for (let byte = 255; byte === 255 && at < block.length; at++) {
        byte = block[at] as number
        size += byte
      }
      sizes.push(size)
    }
  } else {
    for (let i = 0; i < count - 1; i++) {
      const found = vint(block, at, false)
      if (!found) return
      at += found.length
      // All but the first are differences, around the middle of what their length can hold.
      const middle = 2 ** (7 * found.length - 1) - 1
      sizes.push(i === 0 ? found.value : (sizes[i - 1] as number) + found.value - middle)
    }
  }
  for (const size of sizes) {
    if (size < 0 || at + size > block.length) return
    yield block.subarray(at, at + size)
    at += size
  }
  yield block.subarray(at)
}

/** Goes through a file's elements, into those that hold others. */
function* walk(file: BinaryReader, most: number): Generator<Element> {
  const open: { id: number; end: number }[] = [{ id: 0, end: file.length }]
  let at = 0
  for (let count = 0; count < most; count++) {
    while (open.length > 1 && at >= (open.at(-1)?.end ?? 0)) open.pop()
    const element = elementAt(file, at, open.at(-1)?.end ?? 0)
    if (!element) {
      const holder = open.pop()
      if (!open.length || !holder) return
      at = holder.end // damaged: on after what holds it
      continue
    }
    // A cluster of unknown length, as live recordings have them, ends where the next one begins.
    while (element.id === CLUSTER && open.some(({ id }) => id === CLUSTER)) open.pop()
    yield element
    if (PARENTS.has(element.id) && open.length < 8) {
      open.push(element)
      at = element.at
    } else at = element.end
  }
}

function* elements(file: BinaryReader, begin: number, end: number): Generator<Element> {
  for (let at = begin; at < end; ) {
    const element = elementAt(file, at, end)
    if (!element) return
    yield element
    at = element.end
  }
}

function elementAt(file: BinaryReader, at: number, end: number): Element | undefined {
  const head = file.bytes(at, 12)
  const id = vint(head, 0, true)
  const size = id && vint(head, id.length, false)
  if (!id || !size || id.length > 4) return undefined
  const begin = at + id.length + size.length
  // All ones: of unknown length, as live recordings are.
  const unknown = size.value === 2 ** (7 * size.length) - 1
  if (begin > end) return undefined
  return { id: id.value, at: begin, end: unknown ? end : Math.min(end, begin + size.value) }
}

/** A number whose first byte says how many bytes it has; in an identifier the mark is part of it. */
function vint(bytes: Buffer, at: number, keepMark: boolean): { value: number; length: number } | undefined {
  const first = bytes[at]
  if (!first) return undefined
  const length = Math.clz32(first) - 23
  if (at + length > bytes.length) return undefined
  let value = keepMark ? first : first & (0xff >> length)
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] as number)
  return { value, length }
}

function track(file: BinaryReader, { at, end }: Element): MatroskaTrack {
  const found: MatroskaTrack = { number: 0, type: 0, codec: "", private: Buffer.alloc(0), encoded: false }
  for (const element of elements(file, at, end)) {
    const size = Math.min(element.end - element.at, LARGEST_PACKET)
    const number = () => file.bytes(element.at, Math.min(6, size)).reduce((sum, byte) => sum * 256 + byte, 0)
    if (element.id === NUMBER) found.number = number()
    if (element.id === TYPE) found.type = number()
    if (element.id === CODEC) found.codec = file.name(element.at, size).replace(/\0+$/, "")
    if (element.id === PRIVATE) found.private = file.bytes(element.at, size)
    if (element.id === ENCODINGS) found.encoded = true
  }
  return found
}
