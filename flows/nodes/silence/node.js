// Passes messages on, and tells at the second output when none has come for a while.
let timer

function onStart() {
  if (config.atOnce) wait({ topic: "start" })
}

function onInput(msg, send) {
  node.status({ fill: "green", shape: "dot", text: "alive" })
  wait(msg)
  send([msg, null])
}

function wait(last) {
  clearTimeout(timer)
  timer = setTimeout(() => {
    node.status({ fill: "red", shape: "ring", text: "silent" })
    node.send([null, { topic: last.topic, payload: "silent", seconds: config.seconds }])
  }, config.seconds * 1000)
}
