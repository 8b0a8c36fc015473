/**
 * The core of the library in areas: which files are mutated, and which tests are to notice. Only the tests that reach
 * a change are run for it; slow tests that notice nothing more are left out, by their files or by `except`.
 */
export const areas = {
  job: {
    mutate: [
      'src/job/jobReducer.ts',
      'src/job/jobEffects.ts',
      'src/job/cancelUntilConfirmed.ts',
      'src/job/cancelAnswers.ts',
    ],
    tests: [
      'test/job/{jobReducer,jobReducer.property,jobEffects,cancelUntilConfirmed}.test.ts',
      'test/job/{attach,chunks,closing,data,deadlines,diagnosis,errors,held,hooks,leaving,money,records,views}.test.ts',
      'test/http/serviceWords.test.ts',
      'test/polling/holding.test.ts',
      'test/wire/cancelling.test.ts',
    ],
  },
  status: {
    mutate: ['src/protocol/statusRules.ts', 'src/http/retryCall.ts'],
    tests: [
      'test/protocol/{operations,statusRules}.test.ts',
      'test/http/retryCall.test.ts',
      'test/errors/making.test.ts',
    ],
  },
  limits: {
    mutate: ['src/http/RateLimiter.ts', 'src/http/BudgetPart.ts'],
    tests: ['test/http/{RateLimiter.unit,BudgetPart}.test.ts', 'test/budget/budgetOver.test.ts'],
  },
  budget: {
    mutate: ['src/budget/BudgetMember.ts', 'src/budget/budgetOver.ts', 'src/budget/fairPart.ts'],
    tests: ['test/budget/{BudgetMember,budgetOver,fairPart,fleet.property}.test.ts'],
  },
  submission: {
    mutate: ['src/http/keepSubmission.ts', 'src/http/submissionLag.ts'],
    tests: ['test/http/{keepSubmission,submissionLag}.test.ts'],
  },
  stream: {
    mutate: [
      'src/sources/streamChunks.ts',
      'src/sources/StreamReader.ts',
      'src/sources/ChunkDelivery.ts',
      'src/sources/recoverChunks.ts',
    ],
    tests: [
      'test/sources/{keptStream,recoverChunks,streamChunks,streamChunks.cursor,streamChunks.gaps}.test.ts',
      'test/endpoint/{stream,streamResubscribe}.test.ts',
    ],
  },
  polling: {
    mutate: ['src/polling/QueueProbe.ts', 'src/polling/nextReadAt.ts'],
    tests: ['test/polling/*.test.ts', 'test/job/{held,hooks}.test.ts'],
  },
  pipelines: {
    mutate: ['src/pipelines/Pipeline.ts', 'src/pipelines/PipelineTask.ts'],
    tests: ['test/pipelines/*.test.ts', 'test/endpoint/pipelines.test.ts'],
    // It takes longer than all others together, and notices nothing more.
    except: /a million inputs/,
  },
};
