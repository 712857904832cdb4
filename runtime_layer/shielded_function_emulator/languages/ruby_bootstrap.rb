# A client of Lambda's Runtime API, over Net::HTTP as AWS's own is. The handler is `file.method` or `file.Class.method`.
require "json"
require "net/http"

file, *names = ENV.fetch("_HANDLER").split(".")
require File.join(ENV.fetch("LAMBDA_TASK_ROOT"), file)
method_name = names.pop
receiver = names.empty? ? self : Object.const_get(names.join("."))

address, port = ENV.fetch("AWS_LAMBDA_RUNTIME_API").split(":")
api = Net::HTTP.new(address, port.to_i)
api.read_timeout = nil
loop do
  invocation = api.get("/2018-06-01/runtime/invocation/next")
  path = "/2018-06-01/runtime/invocation/#{invocation["Lambda-Runtime-Aws-Request-Id"]}"
  begin
    answer = receiver.send(method_name, event: JSON.parse(invocation.body), context: nil)
    api.post("#{path}/response", JSON.generate(answer))
  rescue StandardError => error
    api.post("#{path}/error", JSON.generate(errorType: error.class.name, errorMessage: error.message))
  end
end
