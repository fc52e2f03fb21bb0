import type { ListedItem, PackSummary } from "../../contract/app.ts"
import { modalities } from "../../contract/modality/index.ts"
import type { Content } from "../lib/content.ts"
import { Dial } from "../settings/Dial.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"
import { isComplete } from "./Futures.tsx"
import { Progress } from "./Progress.tsx"

/** What is done next with the document, and how boldly. While something is written: how far it is. */
export function ActionBar({
  item,
  content,
  pack,
}: {
  item: ListedItem | undefined
  content: Content | undefined
  pack: PackSummary | undefined
}) {
  const actions = useActions()
  const run = useSlice((s) => s.run !== undefined)
  const editing = useSlice((s) => s.editing)
  const complete = isComplete(pack, content) && !editing
  return (
    <div className="actionbar">
      {run ? (
        <Progress pack={pack} />
      ) : (
        <>
          <button
            type="button"
            className="primary"
            onClick={() => (complete && item ? actions.more(item.id) : actions.submit())}
          >
            <PrimaryLabel {...{ item, pack, complete, editing }} /> <kbd>Ctrl ↵</kbd>
          </button>
          {!item && <ScoreButton />}
          {editing && (
            <button type="button" onClick={() => item && actions.show(item.id)}>
              Back to the version
            </button>
          )}
        </>
      )}
      <span className="grow" />
      <Dial pack={pack} />
      <SettingsButton />
    </div>
  )
}

function PrimaryLabel({
  item,
  pack,
  complete,
  editing,
}: {
  item: ListedItem | undefined
  pack: PackSummary | undefined
  complete: boolean
  editing: boolean
}) {
  const hasText = useSlice((s) => s.draft.text !== "")
  const media = useSlice((s) => s.draft.media !== undefined)
  const variations = useSlice((s) => s.settings.variations)
  const { noun, typed } = modalities[pack?.modality ?? "text"]
  if (complete) return variations === 1 ? "Make another" : `Make ${variations} more`
  if (item && !editing) return "Continue"
  if (editing) return "Continue from the caret"
  if (media) return `Continue the ${noun}`
  if (typed) return hasText ? "Continue the text" : "Write something"
  return variations === 1 ? `Make a ${noun}` : `Make ${variations} ${noun}s`
}

/** Shows how surprising a draft is, without going on from it. */
function ScoreButton() {
  const actions = useActions()
  const empty = useSlice((s) => s.draft.text === "" && !s.draft.media)
  if (empty) return null
  return (
    <button type="button" onClick={() => actions.scoreDraft()} title="Shows what of it surprises the model">
      <Icon name="surprise" /> Surprise
    </button>
  )
}

export function SettingsButton() {
  const actions = useActions()
  const open = useSlice((s) => s.settingsOpen)
  return (
    <IconButton
      icon="gear"
      label="Settings"
      aria-expanded={open}
      aria-controls="settings"
      onClick={() => actions.open({ settingsOpen: !open })}
    />
  )
}
