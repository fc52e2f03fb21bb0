import { useMemo } from "react"
import { dataAddress } from "../lib/bytes.ts"
import { Content } from "../lib/content.ts"
import { hex, type ModalityView, type Pointing, type Shown } from "../modality/view.ts"
import { useActions, useSlice } from "../store/context.ts"
import { Begin } from "../work/Begin.tsx"
import { HexView } from "./HexView.tsx"

function Item({ item, content, pack, hovered, selected, onHover }: Shown & Pointing) {
  const version = useSlice((s) => s.version)
  const surprise = useSlice((s) => s.surprise)
  return (
    <HexView
      {...{ content, version, surprise, onHover }}
      given={item.given}
      patch={pack?.patch ?? 8}
      usual={pack?.bitsPerByte ?? 8}
      shown={hovered ?? selected}
      label={`Bytes of ${item.title}`}
    />
  )
}

/** A file to go on from: the slider chooses the byte from which it is made anew. */
function Draft({ pack }: { pack: NonNullable<Shown["pack"]> }) {
  const actions = useActions()
  const { media } = useSlice((s) => s.draft)
  const bytes = media?.bytes
  const content = useMemo(() => {
    const whole = new Content(false)
    if (bytes) whole.append(bytes, new Float32Array(bytes.length).fill(-1))
    return whole
  }, [bytes])
  if (!media) return <Begin lead="Make bytes from nothing, or drop any file: it goes on from the byte you choose." />
  const keep = (kept: number) => actions.setDraft({ media: { ...media, kept } })
  return (
    <>
      <HexView
        {...{ content, version: 0, surprise: false }}
        given={media.kept}
        patch={pack.patch}
        usual={pack.bitsPerByte}
        shown={undefined}
        onHover={() => {}}
        label="The file to go on from"
      />
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {media.kept} of {media.bytes.length} bytes
          </output>
        </span>
        <input
          type="range"
          aria-label="Bytes to keep"
          min={0}
          max={media.bytes.length}
          value={media.kept}
          onChange={(e) => keep(Number(e.target.value))}
        />
      </label>
    </>
  )
}

const dump = (bytes: Uint8Array) => Array.from(bytes, hex).join(" ")

export const bytes: ModalityView = {
  icon: "file",
  letters: false,
  Item,
  Draft,
  Thumb: ({ item, content }) => (
    <span className="future-text">{dump(content.bytes.subarray(item.given, item.given + 40))}</span>
  ),
  copied: ({ content }) => new ClipboardItem({ "text/plain": dump(content.bytes) }),
  dragged: ({ content }) => content && dataAddress("application/octet-stream", content.bytes),
  look: () => ({ name: hex }),
}
