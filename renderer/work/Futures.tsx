import type { PackSummary } from "../../contract/app.ts"
import { documentsOf } from "../../contract/pack.ts"
import type { Content } from "../lib/content.ts"
import { views } from "../modality/index.ts"
import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"

/** The futures of a run, side by side: a click takes one, the cross discards it, the last asks for more. */
export function Futures({ pack }: { pack: PackSummary | undefined }) {
  const actions = useActions()
  const shown = useSlice((s) => s.shown)
  const chosen = useSlice((s) => s.chosen)
  const busy = useSlice((s) => s.run !== undefined)
  const more = useSlice((s) => s.settings.variations)
  const [first] = shown
  return (
    <section className="futures" aria-label="Futures">
      {shown.map((id, i) => (
        <Future key={id} id={id} number={i + 1} pack={pack} current={id === chosen} alone={shown.length === 1} />
      ))}
      {first !== undefined && (
        <button type="button" className="more-futures" disabled={busy} onClick={() => actions.more(chosen ?? first)}>
          <Icon name="again" />
          <span>{more === 1 ? "Another one" : `${more} more`}</span>
        </button>
      )}
    </section>
  )
}

function Future(props: {
  id: string
  number: number
  pack: PackSummary | undefined
  current: boolean
  alone: boolean
}) {
  const { id, number, pack, current, alone } = props
  const actions = useActions()
  const item = useSlice((s) => s.items.get(id))
  const content = useSlice((s) => s.contents.get(id))
  const live = useSlice((s) => s.run?.ids.includes(id) ?? false)
  // Only what is being written is drawn again with every patch.
  const version = useSlice((s) => (s.run?.ids.includes(id) ? s.version : -1))
  if (!item) return null
  const { Thumb } = views[item.modality]
  return (
    <article className={`future${current ? " current" : ""}${live ? " live" : ""}`} aria-label={`Future ${number}`}>
      <button
        type="button"
        className="future-take"
        aria-pressed={current}
        aria-label={`Future ${number}${current ? ", in the document" : ": show it in the document"}`}
        onClick={() => actions.choose(id)}
      >
        {content && <Thumb {...{ item, content, pack, version }} />}
      </button>
      <kbd>{number}</kbd>
      {item.favourite && <Icon name="star" filled />}
      {!alone && !live && (
        <IconButton icon="close" label={`Discard future ${number}`} onClick={() => actions.remove([id])} />
      )}
    </article>
  )
}

/** Whether nothing can come after an item any more. */
export const isComplete = (pack: PackSummary | undefined, content: Content | undefined): boolean => {
  const whole = pack && documentsOf(pack).whole
  return whole !== undefined && content !== undefined && content.length >= whole
}
