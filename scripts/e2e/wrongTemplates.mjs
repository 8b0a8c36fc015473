/** Templates that ask a job for what it does not have, or not yet, and how the compiler refuses each. */
export const wrongTemplates = [
  { template: '{{ job.value().text }}', refused: /possibly 'undefined'/ },
  { template: "{{ job.hasValue() ? job.value().txet : '' }}", refused: /'txet' does not exist/ },
  { template: "@if (job.status() === 'finished') { over }", refused: /comparison appears to be unintentional/ },
  {
    template: "@let state = job.state(); @switch (state.status) { @case ('done') { {{ state.error.code }} } }",
    refused: /'code' does not exist|'error' does not exist|possibly 'undefined'/,
  },
  {
    template: "@let state = job.state(); @switch (state.status) { @case ('failed') { {{ state.value.text }} } }",
    refused: /'value' does not exist|possibly 'undefined'/,
  },
  { template: '{{ job.error().code }}', refused: /possibly 'undefined'/ },
  {
    template: "@if (job.error(); as error) { @if (error.code === 'validation') { {{ error.snapshot }} } }",
    refused: /'snapshot' does not exist/,
  },
  {
    template: "@if (job.error(); as error) { @if (error.code === 'job_failed') { {{ error.issues }} } }",
    refused: /'issues' does not exist/,
  },
];
