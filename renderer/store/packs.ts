import type { PackSummary, Settings } from "../../contract/app.ts"
import { type Modality, modalities } from "../../contract/modality/index.ts"
import { documentsOf, type Pack } from "../../contract/pack.ts"
import { pathOf } from "./dial.ts"
import { newSeed, type State } from "./state.ts"

/** The pack that the next generation uses. */
export const packOf = (s: State) => s.packs.find((p) => p.name === s.settings.pack)

/** The pack that an item was made with, where it is still here. */
export const packOfItem = (s: State, id: string | undefined) => {
  const name = id === undefined ? undefined : s.items.get(id)?.settings.pack
  return s.packs.find((p) => p.name === name)
}

/** Whether a person types what is of a modality; the rest are files. */
export const isTyped = (modality: Modality | undefined) => modality !== undefined && modalities[modality].typed

/** What a person counts a pack's length in. */
export const unitOf = (pack: PackSummary) => documentsOf(pack).unit

/** What a pack begins with: a whole picture, four seconds, some lines of text; four futures where they are quick. */
export function usualSettings(pack: PackSummary): Settings {
  return {
    pack: pack.name,
    length: documentsOf(pack).usualLength,
    seed: newSeed(),
    variations: modalities[pack.modality].variations,
    sampling: pathOf(pack).usual,
    style: stylesOf(pack).defaultStyle,
    untilEnd: false,
  }
}

/** The styles of a pack, and the number of the one that is chosen at first: by name, as "any" mixes what does not go together. */
export function stylesOf(pack: Pick<Pack, "modality" | "media"> | undefined): {
  styles: string[]
  defaultStyle: number
} {
  const { styles = [], defaultStyle = 0 } = pack ? documentsOf(pack) : {}
  return { styles, defaultStyle: defaultStyle || (styles.length > 1 ? 1 : 0) }
}

/** Whether a pack's texts have an end of their own. */
export const hasEnd = (pack: PackSummary | undefined) =>
  pack?.text?.header ? pack.text.endOfDocument !== undefined : false
