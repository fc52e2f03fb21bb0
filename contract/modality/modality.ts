import { z } from "zod"
import type { LengthUnit } from "../characters.ts"
import type { Sampling } from "../sampling.ts"

/** A kind of file that an item can be saved as. `save`: what the button says. */
export type Form = { save: string; extension: string; mime: string }

/** What a header tells the model. */
export type Told = {
  style?: number | undefined
  /** Whether a picture is read by columns. */
  columns?: boolean | undefined
  /** Whether the document is to be gone on with, not scored. */
  generating?: boolean
  /** Whether the document's beginning is not there. */
  cut?: boolean
}

/** What the documents of one pack are like. */
export type Documents = {
  /** Names of the styles by their number; the first leaves it open. */
  styles: string[]
  /** Number of the style that something new has where none was chosen. */
  defaultStyle: number
  /** What stands before a document. */
  header(told?: Told): Uint8Array<ArrayBuffer>
  /** Name of an item's ordinary file and, where that is not the canonical bytes as they are, of the file of those. */
  files: { file: string; raw?: string }
  /** What a person counts a length in, the bytes of one, and how many there may be. */
  unit: { name: string; bytes: number; most: number }
  /** How much `bytes` of it are, as a person says it. */
  amount(bytes: number): string
  /** Bytes (of text: characters) that something new gets where nothing else is said. */
  usualLength: number
  /** What a prompt may be cut at: rows of a picture (columns, where it is read by those), samples of a sound. */
  grain(columns?: boolean): { name: string; bytes: number }
  /** Whether the documents can be read by columns. */
  columns: boolean
  /** Bytes of a whole document; without: it has no end. */
  whole?: number
  /** The byte that stands where a document ends. */
  endMark?: number | undefined
  /** What makes a document worthless, so that what was made after its first `given` bytes is made again; in a word. */
  flaw?(bytes: Uint8Array, given: number): string | undefined
  /** Bytes that stand for something else than what a document holds: the end mark, and those of the header. */
  marks: number[]
}

/**
 * What the layers need to know of a modality, so that none of them has a switch over modalities. Its media on disk are in
 * main/host/media, its views in renderer.
 */
export type ModalityEntry = {
  /** What one of its documents is called, as in "a picture"; as a title; and many of them. */
  noun: string
  kind: string
  kinds: string
  /** Schema of `media` in pack.json. */
  format: z.ZodType
  /** What an item can be saved as, by name; the first is the ordinary file's form. */
  forms: Record<string, Form>
  /** What the engine counts a generation's length in. */
  lengthUnit: LengthUnit
  /** Whether a person types it; otherwise a prompt is a file. */
  typed: boolean
  /** How many variations are made at once where nothing else is said. */
  variations: number
  /** Ways to sample with less chance and with more, from the usual one. */
  presets(usual: Sampling): { tame: Sampling; wild: Sampling }
  /** @param media of pack.json, as `format` has checked it */
  documents(media: unknown): Documents
}

/** `usual` at so many times its temperature. */
const warmer = (usual: Sampling, by: number) => Math.round(usual.temperature * by * 100) / 100

/** Presets of what is language, or may be. */
export const widePresets = (usual: Sampling) => ({
  tame: { ...usual, temperature: warmer(usual, 0.65), topP: 0.9, topK: 0, minP: 0.05 },
  wild: { ...usual, temperature: warmer(usual, 1.35), topP: 1, topK: 0, minP: 0.02 },
})

/** Presets of signals: a picture that is drawn only a little too carefully stays white, as its likeliest pixel does. */
export const narrowPresets = (usual: Sampling) => ({
  tame: { ...usual, temperature: warmer(usual, 0.95) },
  wild: { ...usual, temperature: warmer(usual, 1.1) },
})

/** A number of things, in words. */
export const plural = (n: number, one: string) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`

/** What packs with styles say of them. */
export const styled = {
  /** Bytes of the header before a document: the style byte, so many times. A whole number of patches. */
  header: z.int().min(0).max(4096),
  /** Names of the styles by their number; the first leaves it open. */
  styles: z.array(z.string().max(40)).max(128).default([]),
  /** Number of the style that something new has where none was chosen. */
  defaultStyle: z.int().min(0).max(127).optional(),
}
