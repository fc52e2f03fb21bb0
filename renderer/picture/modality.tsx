import { enlargedPng } from "../lib/pixels.ts"
import type { ModalityView, Pointing, Shown } from "../modality/view.ts"
import { useActions, useSlice } from "../store/context.ts"
import { PictureThumb } from "../ui/Thumb.tsx"
import { Begin } from "../work/Begin.tsx"
import { FramingFields } from "./FramingFields.tsx"
import { PicturePrompt, PictureView } from "./PictureView.tsx"

/** A pixel of no color. */
const CLEAR = "repeating-conic-gradient(#fff 0 25%, #dfe1e7 0 50%) 0 0 / 8px 8px"

function Item({ item, content, pack, hovered, selected, onHover }: Shown & Pointing) {
  const actions = useActions()
  const version = useSlice((s) => s.version)
  const surprise = useSlice((s) => s.surprise)
  if (!pack?.canvas) return null
  const { patch } = pack
  return (
    <PictureView
      {...{ content, version, patch }}
      given={item.given}
      usual={pack.bitsPerByte}
      heat={surprise}
      canvas={pack.canvas}
      columns={item.settings.columns}
      selected={hovered ?? selected}
      onSelect={onHover}
      onFork={(at) => actions.pickPatch(Math.floor(at / patch))}
      label={`Picture of ${item.title}`}
    />
  )
}

function Draft({ pack }: { pack: NonNullable<Shown["pack"]> }) {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const { canvas } = pack
  const { media } = draft
  if (!canvas) return null
  if (!media)
    return (
      <Begin
        lead={`Choose a style and make a picture, or drop one: it goes on from the row you choose. Each is ${canvas.width}×${canvas.height} pixels.`}
        example={["monster.png", "a little monster"]}
      />
    )
  return (
    <PicturePrompt draft={media} canvas={canvas} onDraft={(changed) => actions.setDraft({ media: changed })}>
      {draft.file && <FramingFields {...draft.file} onFraming={actions.reframe} />}
      <button type="button" className="make-eight" disabled={busy} onClick={() => actions.makeEight()}>
        Make eight like the rest of it
      </button>
    </PicturePrompt>
  )
}

export const image: ModalityView = {
  icon: "picture",
  letters: false,
  Item,
  Draft,
  Thumb: ({ item, content, pack, version }) =>
    pack?.canvas && (
      <PictureThumb
        bytes={content.bytes}
        canvas={pack.canvas}
        columns={item.settings.columns}
        version={version + content.length}
      />
    ),
  copied: ({ item, content, pack }) => {
    if (!pack?.canvas) throw new Error("its model is not here")
    return new ClipboardItem({ "image/png": enlargedPng(content.bytes, pack.canvas, item.settings.columns) })
  },
  dragged: (_, image) => image,
  look: ({ canvas }, bytes) => ({
    name: (byte) => canvas?.palette?.[byte] ?? `${byte}`,
    // The other two channels of the pixel stay as they are.
    color: (byte, at) => {
      const { palette, transparent } = canvas ?? {}
      if (palette) return byte === transparent ? CLEAR : (palette[byte] ?? "#000000")
      const first = at - (at % 3)
      const rgb = [0, 1, 2].map((i) => (first + i === at ? byte : (bytes[first + i] ?? byte)))
      return `rgb(${rgb.join(" ")})`
    },
  }),
}
