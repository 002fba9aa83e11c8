from tabiji import Journey, after, days, journey, on, param, stage_reached, tag_added

BETWEEN = param("nurture-days", days(4), at_least=days(1), at_most=days(14), title="Time between two lessons")
READY = param("nurture-ready", 60, at_least=10, at_most=500, title="Score from which a lead is handed to sales")

LESSONS = ("lessons/problem", "lessons/method", "lessons/proof")


@journey(
    trigger=(tag_added("lead"), stage_reached("lead")),
    goal=on("Order Completed"),
    exit=(on("Unsubscribed"), stage_reached("mql")),
    reentry=after(days=180),
)
class LeadNurturing(Journey):
    """Three lessons for a lead who is not ready yet; whoever warms up on the way is handed to sales."""

    async def steps(self) -> None:
        for lesson in LESSONS:
            mail = await self.send_email(lesson, step="lesson")
            pause = await self.value(BETWEEN)
            if await self.wait_for(self.clicked(mail), timeout=pause, step="read it"):
                points = await self.adjust_score(+15, reason="read a lesson")
                if points >= await self.value(READY):
                    await self.notify_sales("Has read our lessons and looks ready")
                    await self.set_stage("mql")
                    return
                await self.wait(days=1)
        await self.tag("nurtured")
