import type { PackSummary } from "../../contract/app.ts"
import { views } from "../modality/index.ts"
import type { Pointing, Shown } from "../modality/view.ts"
import { useSlice } from "../store/context.ts"
import { Styles } from "./Styles.tsx"

/** What was made, in the form that suits it; a patch pointed at in it is pointed at in the strip, and the other way. */
export function ItemDocument(props: Shown & Pointing) {
  const { Item } = views[props.item.modality]
  return <Item {...props} />
}

/** What is to be gone on from: a page to type on, or a file with the place up to which it is kept. */
export function DraftDocument({ pack }: { pack: PackSummary | undefined }) {
  const note = useSlice((s) => s.draft.note)
  const { Draft } = views[pack?.modality ?? "text"]
  return (
    <div className="draft">
      {note && <p className="note">{note}</p>}
      {pack && <Styles pack={pack} />}
      {pack && <Draft pack={pack} />}
    </div>
  )
}
