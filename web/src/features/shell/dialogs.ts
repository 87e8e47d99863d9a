/** The page's dialogs, in a part of their own: nobody needs them to see the flows. */
export { default as DeployDialogs } from '../deploy/DeployDialogs.svelte'
export { default as ExportDialog } from '../transfer/ExportDialog.svelte'
export { default as HelpDialogs } from './HelpDialogs.svelte'
export { default as ImportDialog } from '../transfer/ImportDialog.svelte'
