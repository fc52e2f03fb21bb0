import { useEffect, useRef, useState } from "react"
import { lettersOn, setLetters } from "../keys.ts"
import { useActions } from "../store/context.ts"
import { IconButton } from "./Button.tsx"

const keys = [
  ["Ctrl Enter", "Go on after the caret or the end"],
  ["Enter", "Go on, outside of a text field"],
  ["Esc", "Stop, or close what is open"],
  ["Space", "Play or pause a sound"],
  ["← →", "Choose a patch"],
  ["B", "Branch at the chosen patch"],
  ["1 … 8", "Take a future"],
  ["S", "Star"],
  ["U", "Surprise"],
  ["E", "Edit the text, or use it as a prompt"],
  ["N or Ctrl N", "New"],
  ["Ctrl F", "Search the library"],
  ["Ctrl S", "Save"],
  ["F2", "Rename"],
  ["Delete", "Delete"],
  ["?", "This list"],
] as const

/** The keys, and whether single letters are any. */
export function Help() {
  const actions = useActions()
  const [letters, set] = useState(lettersOn())
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const close = () => actions.open({ helpOpen: false })
  return (
    <dialog ref={dialog} className="help" aria-label="Keys" onClose={close}>
      <header>
        <h2>Keys</h2>
        <IconButton icon="close" label="Close the list of keys" onClick={close} />
      </header>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input
          type="checkbox"
          checked={letters}
          onChange={(e) => {
            setLetters(e.target.checked)
            set(e.target.checked)
          }}
        />
        Single letters and digits are keys
      </label>
    </dialog>
  )
}
