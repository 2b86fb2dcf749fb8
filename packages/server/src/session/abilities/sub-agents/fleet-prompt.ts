/** What a model is told to do a task with several agents at a time; our own words. */
const INSTRUCTIONS = `Work on this with several agents at a time.
1. Keep the list of work in the table todos (the tool sql), and what must wait for what in todo_deps. Use what is there; otherwise split the task into parts that touch different files and can be done at the same time.
2. Hand every part that nothing holds up to an agent of its own with the tool task, all of them in one step. A single part does not need the background.
3. Give each agent the id of its todo and all that it needs to know; have it set the todo's status to done or blocked, and report what it did, what is left and what is in its way.
4. When agents end, look at the todos, hand out what has become free, and check what they did: it has to fit together, and the project's own tests have to pass.
5. Go on until the whole task is done, then report.
Where the task is too small to split, do it yourself.`;

export function fleetPrompt(task: string | undefined): string {
  return task === undefined ? INSTRUCTIONS : `${INSTRUCTIONS}\n\nThe task: ${task}`;
}
