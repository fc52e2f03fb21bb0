import { memo } from "react"
import { amount, when } from "../lib/words.ts"
import { views } from "../modality/index.ts"
import { RollThumb, WaveThumb } from "../sound/SoundThumb.tsx"
import { useSlice } from "../store/context.ts"
import { faceOf, type Work } from "../store/works.ts"
import { Icon } from "../ui/Icon.tsx"
import { dragOut } from "../work/drag.ts"

type Keys = { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }

/** One work: a small picture of it, its title, how it goes on, and how much there is of it. */
export const WorkRow = memo(
  (props: {
    work: Work
    current: boolean
    picked: boolean
    tabStop: boolean
    onPick: (e: Keys) => void
    onFocus: () => void
  }) => {
    const { work, current, picked, tabStop, onPick, onFocus } = props
    const face = faceOf(work)
    const preview = useSlice((s) => s.previews.get(face.id))
    const pack = useSlice((s) => s.packs.find((p) => p.name === face.settings.pack))
    const content = useSlice((s) => s.contents.get(face.id))
    const running = work.items.some((i) => i.status === "running")
    const versions = work.items.length
    return (
      <button
        type="button"
        className={`row${current ? " current" : ""}${picked ? " picked" : ""}`}
        role="option"
        aria-selected={picked || current}
        aria-label={`${face.title}, ${versions} version${versions === 1 ? "" : "s"}`}
        tabIndex={tabStop ? 0 : -1}
        draggable
        onDragStart={(e) => dragOut(e.dataTransfer, { item: face, content, pack }, preview?.image)}
        onClick={onPick}
        onFocus={onFocus}
      >
        <span className={`row-thumb ${face.modality}`}>
          {preview?.image ? (
            <img src={preview.image} alt="" width="40" height="40" draggable={false} />
          ) : preview?.roll ? (
            <RollThumb {...preview.roll} />
          ) : preview?.peaks ? (
            <WaveThumb peaks={preview.peaks} />
          ) : (
            <Icon name={views[face.modality].icon} />
          )}
        </span>
        <span className="row-words">
          <span className="row-title">
            {work.favourite && <Icon name="star" filled />}
            {face.title}
          </span>
          {preview?.text && <span className="row-excerpt">{preview.text}</span>}
          <span className="row-note">
            {running ? "writing…" : note(work, face.scored ?? false, amount(face.bytes - face.given, pack))}
          </span>
        </span>
      </button>
    )
  },
)

function note(work: Work, scored: boolean, made: string): string {
  const versions = work.items.length > 1 ? `${work.items.length} versions` : scored ? "scored" : made
  const interrupted = work.items.some((i) => i.status === "interrupted") ? " · interrupted" : ""
  return `${versions} · ${when(work.newest)}${interrupted}`
}
