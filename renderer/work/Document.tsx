import type { ListedItem, PackSummary } from "../../contract/app.ts"
import type { Content } from "../lib/content.ts"
import { FramingFields } from "../picture/FramingFields.tsx"
import { PicturePrompt, PictureView } from "../picture/PictureView.tsx"
import { SoundPrompt, SoundView } from "../sound/SoundView.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { Page } from "../text/Page.tsx"
import { TextView } from "../text/TextView.tsx"
import { Styles } from "./Styles.tsx"

/** Texts longer than this are read, not typed on: a page to type on holds all of it at once. */
const LONGEST_PAGE = 300_000

type Shown = { item: ListedItem; content: Content; pack: PackSummary | undefined }
type Pointing = {
  hovered: number | undefined
  selected: number | undefined
  onHover: (patch: number | undefined) => void
}

/** What was made, in the form that suits it; a patch pointed at in it is pointed at in the strip, and the other way. */
export function ItemDocument({ item, content, pack, hovered, selected, onHover }: Shown & Pointing) {
  const actions = useActions()
  const version = useSlice((s) => s.version)
  const live = useSlice((s) => s.run?.ids.includes(item.id) ?? false)
  const busy = useSlice((s) => s.run !== undefined)
  const surprise = useSlice((s) => s.surprise)
  const patch = pack?.patch ?? 8
  const usual = pack?.bitsPerByte ?? 1.5
  const view = { content, version, given: item.given, patch }
  const canvas = item.modality === "image" ? pack?.canvas : undefined
  const sound = item.modality === "audio" ? pack?.sound : undefined
  const label = item.title
  if (canvas)
    return (
      <PictureView
        {...view}
        usual={usual}
        heat={surprise}
        canvas={canvas}
        columns={item.settings.columns}
        selected={hovered ?? selected}
        onSelect={onHover}
        onFork={(at) => actions.pickPatch(Math.floor(at / patch))}
        label={`Picture of ${label}`}
      />
    )
  if (sound) {
    const total = live ? item.given + item.settings.length : undefined
    return <SoundView {...view} heat={surprise} sound={sound} total={total} label={`Sound of ${label}`} />
  }
  const typable = !busy && !item.scored && item.modality === "text" && content.length <= LONGEST_PAGE
  return (
    <TextView
      {...view}
      usual={usual}
      surprise={surprise}
      live={live}
      shown={hovered ?? selected}
      reveal={hovered === undefined}
      onHover={onHover}
      onCaret={
        typable
          ? (caret) => {
              actions.edit(item.id)
              actions.setDraft({ caret })
            }
          : undefined
      }
      label={`Text of ${label}`}
    />
  )
}

/** What is to be gone on from: a page to type on, or a picture or sound with the place up to which it is kept. */
export function DraftDocument({ pack }: { pack: PackSummary | undefined }) {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const { media } = draft
  const keep = (kept: number) => media && actions.setDraft({ media: { ...media, kept } })
  const canvas = pack?.canvas
  const sound = pack?.sound
  return (
    <div className="draft">
      {draft.note && <p className="note">{draft.note}</p>}
      {pack && <Styles pack={pack} />}
      {!canvas && !sound && <Page placeholder="Once upon a time…" />}
      {media && canvas && (
        <PicturePrompt draft={media} canvas={canvas} onDraft={(changed) => actions.setDraft({ media: changed })}>
          {draft.file && <FramingFields {...draft.file} onFraming={actions.reframe} />}
          <button type="button" className="make-eight" disabled={busy} onClick={() => actions.makeEight()}>
            Make eight like the rest of it
          </button>
        </PicturePrompt>
      )}
      {media && sound && <SoundPrompt bytes={media.bytes} sound={sound} kept={media.kept} onKept={keep} />}
      {!media && pack && (canvas || sound) && <Begin pack={pack} />}
    </div>
  )
}

/** What can be done where there is no picture or sound to go on from yet. */
function Begin({ pack }: { pack: PackSummary }) {
  const actions = useActions()
  const { canvas } = pack
  return (
    <div className="begin">
      <p className="lead">
        {canvas
          ? `Choose a style and make a picture, or drop one: it goes on from the row you choose. Each is ${canvas.width} × ${canvas.height} pixels.`
          : "Choose a style and make a sound, or drop a recording: it goes on from the time you choose."}
      </p>
      <button type="button" onClick={() => void actions.openExample(canvas ? "monster.png" : "chorale.flac")}>
        Try it on an example: {canvas ? "a little monster" : "a chorale on the organ"}
      </button>
    </div>
  )
}
