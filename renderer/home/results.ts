import type { Canvas, Sound } from "../../contract/pack.ts"
import { fromBase64 } from "../lib/bytes.ts"
import { Content } from "../lib/content.ts"
import made from "./results.json" with { type: "json" }

/** What was made before, and how. */
export type Result = {
  pack: string
  title: string
  modality: "text" | "image" | "audio"
  seed: number
  style: number
  styleName: string
  given: number
  patch: number
  usual: number
  canvas?: Canvas
  sound?: Sound
  /** In base64. */
  bytes: string
  /** Mean bits per byte of each patch; -1 where it was given. */
  bits: number[]
}

/** One result of each kind, made before by the packs that ship (bench/tools/beginnings.ts), not chosen from several. */
export const results: Result[] = made as Result[]

/** Patches from..to of a result as a content to grow. */
export function grow(result: Result, content: Content, to: number): void {
  const bytes = fromBase64(result.bytes)
  const from = content.length / result.patch
  for (let i = Math.ceil(from); i < to && i * result.patch < bytes.length; i++) {
    const piece = bytes.subarray(i * result.patch, (i + 1) * result.patch)
    content.append(piece, new Array<number>(piece.length).fill(result.bits[i] ?? -1))
  }
}

export const emptyContent = (result: Result) => new Content(result.modality === "text")
export const patchesOf = (result: Result) => result.bits.length
/** What was given to it, where that was text. */
export const givenText = (result: Result) =>
  result.modality === "text" ? new TextDecoder().decode(fromBase64(result.bytes).subarray(0, result.given)) : ""
