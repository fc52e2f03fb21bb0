import type { ReactNode } from "react"
import type { ListedItem, PackSummary } from "../../contract/app.ts"
import type { Content } from "../lib/content.ts"
import type { IconName } from "../ui/Icon.tsx"

/** What was made, and the pack that made it, where that is still here. */
export type Shown = { item: ListedItem; content: Content; pack: PackSummary | undefined }

/** Patches that are pointed at, in the document and in the strip. */
export type Pointing = {
  hovered: number | undefined
  selected: number | undefined
  onHover: (patch: number | undefined) => void
}

/** How a byte of a patch looks: its name and, of a picture, its color. */
export type Look = { name(byte: number): string; color?: (byte: number, at: number) => string }

/** How things of a modality are shown. */
export type ModalityView = {
  icon: IconName
  /** Whether single bytes are letters, in the strip. */
  letters: boolean
  /** The document. */
  Item(props: Shown & Pointing): ReactNode
  /** What is to be gone on from. */
  Draft(props: { pack: PackSummary }): ReactNode
  /** A future, small. `version` grows with its bytes. */
  Thumb(props: Shown & { version: number }): ReactNode
  /** For the clipboard; without: it cannot be copied. */
  copied?(shown: Shown): ClipboardItem
  /** For the desktop, as a data: address; `image` is one of the picture, where it is known. */
  dragged(shown: Omit<Shown, "content"> & { content: Content | undefined }, image?: string): string | undefined
  look(pack: PackSummary, bytes: Uint8Array): Look
}

export const hex = (byte: number) => byte.toString(16).padStart(2, "0")
