using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Service;

/// <summary>The service: <c>POST /explanations</c>, <c>/health</c> and <c>/openapi/v1.json</c>.</summary>
internal static class Endpoints
{
    public static WebApplication Build(params string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Services.AddSingleton<Explainer>();
        builder.Services.AddOpenApi();
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.WriteIndented = true;
        });
        // A body that cannot be read is a problem like any other, with the place in it where reading stopped.
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = context =>
        {
            if (context.Exception is BadHttpRequestException unreadable) context.ProblemDetails.Detail = unreadable.InnerException?.Message ?? unreadable.Message;
        });
        builder.Services.AddHealthChecks().AddCheck<ModelCheck>("model");
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);

        var app = builder.Build();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            StatusCodeSelector = exception => exception is BadHttpRequestException unreadable ? unreadable.StatusCode : StatusCodes.Status500InternalServerError,
            SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException,
        });
        app.UseStatusCodePages(); // an unknown path or method, too
        app.MapOpenApi();
        app.MapHealthChecks("/health");
        app.MapPost("/explanations", Explain)
            .WithSummary("Predicts a diagnosis and says what it is made of")
            .WithDescription("Contributions and bias add up to the log-odds; 'error' says how exactly.");
        return app;
    }

    private static Results<Ok<ExplanationAnswer>, ValidationProblem> Explain(ExplanationRequest request, Explainer explainer) =>
        explainer.Problems(request) is { Count: > 0 } problems ? TypedResults.ValidationProblem(problems)
        : explainer.Explain(request) is { } answer ? TypedResults.Ok(answer)
        : TypedResults.ValidationProblem(explainer.TooLarge(request));

    /// <summary>Healthy when the model explains the average case, and exactly.</summary>
    private sealed class ModelCheck(Explainer explainer) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var answer = explainer.Explain(new(explainer.Measurements.ToDictionary(name => name, _ => 0f)));
            var error = answer?.Error ?? double.PositiveInfinity;
            return Task.FromResult(error < 1e-5 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"The explanation of the average case is off by {error}."));
        }
    }
}
