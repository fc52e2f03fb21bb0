import { useMemo } from "react"
import type { Sound } from "../../contract/pack.ts"
import { sampleBytes, secondBytes } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { Listener, type Note, notesOf } from "../../contract/transcription.ts"
import type { Content } from "../lib/content.ts"

/** What is heard in bytes of sound, and how many seconds they are. */
export type Roll = { notes: Note[]; seconds: number }

export function rollOf(bytes: Uint8Array, sound: Sound): Roll {
  return { notes: notesOf(decodeSamples(bytes, sound), sound.rate), seconds: bytes.length / secondBytes(sound) }
}

/** What is heard in a sound that grows, of which only what is new is listened to. `version` grows with it. */
export function useRoll(content: Content, version: number, sound: Sound): Roll {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another content is another sound
  const heard = useMemo(() => ({ listener: new Listener(sound.rate), bytes: 0 }), [content, sound])
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  return useMemo(() => {
    const whole = content.length - (content.length % sampleBytes(sound))
    heard.listener.hear(decodeSamples(content.bytes.subarray(heard.bytes, whole), sound))
    heard.bytes = whole
    return { notes: heard.listener.notes, seconds: content.length / secondBytes(sound) }
  }, [content, version, sound, heard])
}

/** Whether the notes are what was played, every one, and no estimate. */
export const isPlayed = ({ notes }: Roll) => notes.length > 0 && notes.every(({ exact }) => exact)

/** A note to draw: seconds, seconds, semitones; paler where it is only estimated. */
export type Drawn = Omit<Note, "exact"> & { exact?: boolean }

/** Semitones that are drawn at least, so that two notes do not fill the view. */
const LEAST_SPAN = 14

/**
 * Draws notes as bars, high ones above, with a line at every octave.
 * @param seconds that the whole width stands for
 */
export function paintRoll(
  g: CanvasRenderingContext2D,
  notes: readonly Drawn[],
  view: { width: number; height: number; seconds: number; line: string; color: (note: Drawn) => string },
): void {
  if (!notes.length) return
  const { width, height, seconds, line, color } = view
  const pitches = notes.map(({ pitch }) => pitch)
  const [low, high] = [Math.min(...pitches), Math.max(...pitches)]
  const room = Math.max(3, LEAST_SPAN - (high - low)) / 2
  const [bottom, top] = [low - room, high + room]
  const row = height / (top - bottom)
  const y = (pitch: number) => (top - pitch) * row
  g.fillStyle = line
  for (let c = Math.ceil(bottom / 12) * 12; c < top; c += 12) g.fillRect(0, y(c) + row / 2, width, 1)
  const tall = Math.min(Math.max(3, row - 1.5), height / 10)
  for (const note of notes) {
    const [x, wide] = [(note.start / seconds) * width, Math.max(2, (note.length / seconds) * width - 1.5)]
    g.fillStyle = color(note)
    g.globalAlpha = note.exact === false ? 0.45 : 1
    g.beginPath()
    g.roundRect(x, y(note.pitch) - tall / 2, wide, tall, Math.min(3, tall / 3, wide / 2))
    g.fill()
  }
  g.globalAlpha = 1
}
