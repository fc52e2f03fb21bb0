import type { PackSummary, Settings } from "../../contract/app.ts"
import { rowBytes, secondBytes } from "../../contract/pack.ts"
import { pathOf } from "./dial.ts"
import { newSeed, type State } from "./state.ts"

/** What things of each modality are called. */
export const KINDS = { text: "Story", image: "Picture", audio: "Sound", bytes: "Bytes" } as const
export type Modality = PackSummary["modality"]

/** The pack that the next generation uses. */
export const packOf = (s: State) => s.packs.find((p) => p.name === s.settings.pack)

/** The pack that an item was made with, where it is still here. */
export const packOfItem = (s: State, id: string | undefined) => {
  const name = id === undefined ? undefined : s.items.get(id)?.settings.pack
  return s.packs.find((p) => p.name === name)
}

/** Whether bytes are a picture's or a sound's. */
export const isMedia = (modality: Modality | undefined) => modality === "image" || modality === "audio"

/** What a person counts a pack's length in. */
export function unitOf({ canvas, sound, modality }: PackSummary): { name: string; bytes: number; most: number } {
  if (canvas) return { name: "rows", bytes: rowBytes(canvas), most: canvas.height }
  if (sound) return { name: "seconds", bytes: secondBytes(sound), most: 3600 }
  return { name: modality === "text" ? "characters" : "bytes", bytes: 1, most: 1_000_000 }
}

/** What a pack begins with: a whole picture, four seconds, some lines of text; four futures where they are quick. */
export function usualSettings(pack: PackSummary): Settings {
  const { bytes } = unitOf(pack)
  const length = pack.canvas ? pack.canvas.height * bytes : pack.sound ? 4 * bytes : 600
  return {
    pack: pack.name,
    length,
    seed: newSeed(),
    variations: pack.sound ? 1 : 4,
    sampling: pathOf(pack).usual,
    style: stylesOf(pack).defaultStyle,
    untilEnd: false,
  }
}

/** The styles of a pack, and the number of the one that is chosen at first: by name, as "any" mixes what does not go together. */
export function stylesOf(pack: PackSummary | undefined): { styles: string[]; defaultStyle: number } {
  const { styles = [], defaultStyle } = pack?.canvas ?? pack?.sound ?? pack?.text ?? {}
  return { styles, defaultStyle: defaultStyle ?? (styles.length > 1 ? 1 : 0) }
}

/** Whether a pack's texts have an end of their own. */
export const hasEnd = (pack: PackSummary | undefined) =>
  pack?.text?.header ? pack.text.endOfDocument !== undefined : false
