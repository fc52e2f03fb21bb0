import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "./Button.tsx"

/** What the app has to say; good news goes by itself. */
export function Notices() {
  const actions = useActions()
  const notices = useSlice((s) => s.notices)
  return (
    <div className="notices" aria-live="polite">
      {notices.map((n) => (
        <div key={n.key} className={n.kind}>
          <span>{n.text}</span>
          {n.undo && (
            <button
              type="button"
              onClick={() => {
                n.undo?.()
                actions.dismiss(n.key)
              }}
            >
              Undo
            </button>
          )}
          {n.details && (
            <button type="button" onClick={() => void navigator.clipboard.writeText(`${n.text}\n\n${n.details}`)}>
              Copy details
            </button>
          )}
          <IconButton icon="close" label="Dismiss" onClick={() => actions.dismiss(n.key)} />
        </div>
      ))}
    </div>
  )
}
