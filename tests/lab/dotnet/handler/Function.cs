// The whole of a function that is an executable assembly: a client of the Runtime API, over HttpClient as AWS's own is.
using System;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Reflection;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

public static class Function
{
    static readonly string Host = Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API");
    static readonly Uri Api = new($"http://{Host}/2018-06-01/runtime/");

    public static bool ReadWhileLoading { get; private set; }

    public static async Task Main()
    {
        ReadWhileLoading = File.ReadAllBytes(Assembly.GetExecutingAssembly().Location).Length > 0;
        using var client = new HttpClient { BaseAddress = Api, Timeout = Timeout.InfiniteTimeSpan };
        while (true)
        {
            using var next = await client.GetAsync("invocation/next");
            var id = next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id").Single();
            using var invocation = JsonDocument.Parse(await next.Content.ReadAsStringAsync());
            var (kind, answer) = await Answer(invocation.RootElement);
            using var content = new StringContent(answer);
            using var _ = await client.PostAsync($"invocation/{id}/{kind}", content);
        }
    }

    static async Task<(string, string)> Answer(JsonElement invocation)
    {
        try
        {
            Work.Hello();
            return ("response", JsonSerializer.Serialize(await Attempts.Run(invocation.GetProperty("attempts"))));
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            var told = new { errorType = error.GetType().Name, errorMessage = error.Message };
            return ("error", JsonSerializer.Serialize(told));
        }
    }
}
